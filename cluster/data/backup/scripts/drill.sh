#!/bin/sh
# The drill: the newest dump into a scratch database, then what must be true of it; the result becomes metrics either way.
# env: the libpq variables, BACKUP, NOW
set -eu
here=$(dirname "$0")
now=${NOW:-$(date -u +%s)}
scratch=drill_$now
dump=
rows=0
started=$(date +%s)

finish() {
  code=$?
  PGDATABASE=postgres psql -qc "DROP DATABASE IF EXISTS \"$scratch\"" || true
  ok=0
  [ "$code" -ne 0 ] || ok=1
  set -- porchlight_restore_drill_last_run_timestamp_seconds "$now" porchlight_restore_drill_success "$ok" \
    porchlight_restore_drill_seconds "$(($(date +%s) - started))" porchlight_restore_drill_rows "$rows"
  [ "$ok" = 0 ] || set -- "$@" porchlight_restore_drill_last_success_timestamp_seconds "$now"
  sh "$here/metric.sh" "$@"
  echo "drill: $([ "$ok" = 1 ] && echo passed || echo FAILED), ${dump##*/}, $rows rows, $(($(date +%s) - started)) s"
}
trap finish EXIT

dump=$(find "${BACKUP:-/backup}/database" -name "$PGDATABASE-*.dump" | sort | tail -n 1)
[ -n "$dump" ] || { echo "drill: no dump of $PGDATABASE in ${BACKUP:-/backup}/database; look at the backup-database job" >&2; exit 2; }
sh "$here/restore.sh" "$dump" "$scratch"

ask() { PGDATABASE=$1 psql -v ON_ERROR_STOP=1 -qAtc "$2"; }
tables="SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
live=$(ask "$PGDATABASE" "$tables")
[ "$(ask "$scratch" "$tables")" = "$live" ] || { echo "drill: the tables differ from the live database" >&2; exit 4; }
for table in $live; do
  rows=$((rows + $(ask "$scratch" "SELECT count(*) FROM $table")))
done
expected=$(ask "$PGDATABASE" "SELECT coalesce(sum(reltuples), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND nspname = 'public' AND reltuples > 0")
# A day of growth is fine; half the rows gone is not.
[ "$((rows * 2))" -ge "$expected" ] || { echo "drill: $rows rows restored, about $expected live" >&2; exit 4; }
[ "$(ask "$scratch" "SELECT count(*) FROM pg_constraint WHERE NOT convalidated")" = 0 ] || exit 4
