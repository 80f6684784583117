#!/bin/sh
# The drill: the newest dump of each of $DATABASES into a scratch database, then what must be true of it; the result becomes
# metrics either way.
# env: the libpq variables, DATABASES (default: $PGDATABASE), BACKUP, NOW
set -eu
here=$(dirname "$0")
now=${NOW:-$(date -u +%s)}
scratch=drill_$now
dump=
rows=0
started=$(date +%s)

drop() { PGDATABASE=postgres psql -qc "DROP DATABASE IF EXISTS \"$scratch\""; }

finish() {
  code=$?
  drop || true
  ok=0
  [ "$code" -ne 0 ] || ok=1
  set -- porchlight_restore_drill_last_run_timestamp_seconds "$now" porchlight_restore_drill_success "$ok" \
    porchlight_restore_drill_seconds "$(($(date +%s) - started))" porchlight_restore_drill_rows "$rows"
  [ "$ok" = 0 ] || set -- "$@" porchlight_restore_drill_last_success_timestamp_seconds "$now"
  sh "$here/metric.sh" "$@"
  echo "drill: $([ "$ok" = 1 ] && echo passed || echo FAILED), ${dump##*/}, $rows rows, $(($(date +%s) - started)) s"
}
trap finish EXIT

ask() { PGDATABASE=$1 psql -v ON_ERROR_STOP=1 -qAtc "$2"; }

try() {
  dump=$(find "${BACKUP:-/backup}/database" -name "$1-*.dump" | sort | tail -n 1)
  [ -n "$dump" ] || { echo "drill: no dump of $1 in ${BACKUP:-/backup}/database; look at the backup-database job" >&2; exit 2; }
  sh "$here/restore.sh" "$dump" "$scratch"
  tables="SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
  live=$(ask "$1" "$tables")
  [ "$(ask "$scratch" "$tables")" = "$live" ] || { echo "drill: the tables differ from the live database $1" >&2; exit 4; }
  restored=0
  for table in $live; do
    restored=$((restored + $(ask "$scratch" "SELECT count(*) FROM $table")))
  done
  rows=$((rows + restored))
  expected=$(ask "$1" "SELECT coalesce(sum(reltuples), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname = 'public' AND reltuples > 0")
  # A day of growth is fine; half the rows gone is not.
  [ "$((restored * 2))" -ge "$expected" ] || { echo "drill: $restored rows of $1 restored, about $expected live" >&2; exit 4; }
  [ "$(ask "$scratch" "SELECT count(*) FROM pg_constraint WHERE NOT convalidated")" = 0 ] || exit 4
  drop
}

for database in ${DATABASES:-$PGDATABASE}; do try "$database"; done
