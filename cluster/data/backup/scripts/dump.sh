#!/bin/sh
# Dumps $PGDATABASE to $BACKUP/database/NAME-YYYYMMDD.dump, reads it back whole, and only then gives it its name.
# env: the libpq variables, BACKUP (folder), TODAY (YYYYMMDD, default: today), NOW (epoch seconds, default: now),
# REPORT=0 writes no metric: the last of several dumps reports for all.
set -eu
here=$(dirname "$0")
today=${TODAY:-$(date -u +%Y%m%d)}
now=${NOW:-$(date -u +%s)}
dir=${BACKUP:-/backup}/database
name=$PGDATABASE-$today.dump
mkdir -p "$dir"
rm -f "$dir"/*.part
pg_dump --format=custom --compress=6 --file="$dir/$name.part"
# The table of contents alone does not prove that the data blocks are whole: decode all of it.
pg_restore --file=/dev/null "$dir/$name.part"
(cd "$dir" && sha256sum "$name.part" | sed 's/\.part$//' >"$name.sha256.part")
mv "$dir/$name.part" "$dir/$name"
mv "$dir/$name.sha256.part" "$dir/$name.sha256"
bytes=$(wc -c <"$dir/$name" | tr -d ' ')
echo "dump: $name, $bytes bytes"
sh "$here/rotate.sh" "$dir" "${KEEP_DAYS:-30}" "$today"
[ "${REPORT:-1}" = 1 ] || exit 0
sh "$here/metric.sh" porchlight_backup_last_success_timestamp_seconds "$now" porchlight_backup_bytes "$bytes"
