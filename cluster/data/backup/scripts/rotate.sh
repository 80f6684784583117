#!/bin/sh
# Removes files whose name carries a day (YYYYMMDD) that is DAYS or more days before TODAY: rotate.sh DIR DAYS TODAY.
# The newest of each name (blog-, bridge-, ...) always stays: a clock that is wrong, or a job that stopped, must not take the last good one.
# LIST=1 prints the names (read from stdin) that would go, for a target that only speaks rsync.
set -eu
dir=$1 days=$2 today=$3

# Days since 1970-01-01 by the civil-date formula: `date -d` differs between GNU, busybox and BSD.
day_number() {
  y=${1%????} m=${1#????} m=${m%??} d=${1#??????}
  m=${m#0} d=${d#0}
  [ "$m" -gt 2 ] || { y=$((y - 1)); m=$((m + 12)); }
  echo $((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469))
}

limit=$(day_number "$today")
names=$(if [ "${LIST:-0}" = 1 ]; then cat; else ls "$dir"; fi)
# Lines of NAME-YYYYMMDD, the newest of each name only: in their order the last of a name wins.
newest=$(printf '%s\n' "$names" | sed -n 's/^\(.*-[0-9]\{8\}\)\..*/\1/p' | sort -u | awk '{ name = substr($0, 1, length($0) - 9); last[name] = $0 } END { for (name in last) print last[name] }')
printf '%s\n' "$names" | while IFS= read -r name; do
  base=$(printf '%s\n' "$name" | sed -n 's/^\(.*-[0-9]\{8\}\)\..*/\1/p')
  if [ -z "$base" ] || printf '%s\n' "$newest" | grep -qxF -e "$base"; then continue; fi
  [ $((limit - $(day_number "${base##*-}"))) -ge "$days" ] || continue
  if [ "${LIST:-0}" = 1 ]; then printf '%s\n' "$name"; else rm -f "$dir/$name"; echo "rotate: removed $name"; fi
done
