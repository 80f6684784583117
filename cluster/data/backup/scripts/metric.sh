#!/bin/sh
# Sets gauges in $METRICS/metrics.prom: metric.sh NAME VALUE [NAME VALUE ...]. One file, replaced at once, so that a
# scrape never sees half of it.
set -eu
file=${METRICS:-/backup/metrics}/metrics.prom
mkdir -p "$(dirname "$file")"
lock=$file.lock
tries=0
until mkdir "$lock" 2>/dev/null; do
  tries=$((tries + 1))
  # A job that was killed inside leaves its lock behind; nobody holds it for longer than an instant.
  if [ "$tries" -ge 20 ]; then rmdir "$lock" 2>/dev/null || true; fi
  sleep 1
done
trap 'rmdir "$lock" 2>/dev/null || true' EXIT
touch "$file"
cp "$file" "$file.new"
while [ $# -ge 2 ]; do
  grep -v "^\(# TYPE \)\{0,1\}$1 " "$file.new" >"$file.next" || true
  printf '# TYPE %s gauge\n%s %s\n' "$1" "$1" "$2" >>"$file.next"
  mv "$file.next" "$file.new"
  shift 2
done
mv "$file.new" "$file"
