#!/bin/sh
# Restores a dump into a database that does not exist yet: restore.sh FILE DATABASE. Refuses a damaged file first.
# Owners and privileges are not the dump's business: run the postgres-migrate Job (roles.sql) afterwards. For a database
# that its program owns, OWNER names the role.
set -eu
file=$1 database=$2
[ -f "$file" ] || { echo "restore: $file does not exist; list the folder and name one of its dumps" >&2; exit 2; }
[ -f "$file.sha256" ] || { echo "restore: $file.sha256 is missing; a dump without its checksum is not trusted" >&2; exit 3; }
if ! (cd "$(dirname "$file")" && sha256sum -c "$(basename "$file").sha256" >/dev/null 2>&1); then
  echo "restore: $file does not match its checksum; take the previous day's dump or the offsite copy" >&2
  exit 3
fi
if ! pg_restore --file=/dev/null "$file"; then
  echo "restore: $file cannot be read to its end; take the previous day's dump or the offsite copy" >&2
  exit 3
fi
started=$(date +%s)
PGDATABASE=postgres psql -v ON_ERROR_STOP=1 -qc "CREATE DATABASE \"$database\"${OWNER:+ OWNER \"$OWNER\"}"
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges ${OWNER:+"--role=$OWNER"} --dbname="$database" "$file"
PGDATABASE=$database psql -v ON_ERROR_STOP=1 -qc ANALYZE
echo "restore: $database from $(basename "$file") in $(($(date +%s) - started)) s"
