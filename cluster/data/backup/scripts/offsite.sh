#!/bin/sh
# Copies $BACKUP/{database,export} to $OFFSITE (any rsync target) and removes there what is older than 90 days.
# The target may be a restricted rsync-only account, so its files are listed and removed through rsync itself.
# env: BACKUP, OFFSITE, OFFSITE_KEEP_DAYS (90), TODAY, NOW, RSYNC_RSH
set -eu
here=$(dirname "$0")
today=${TODAY:-$(date -u +%Y%m%d)}
now=${NOW:-$(date -u +%s)}
backup=${BACKUP:-/backup}
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
for part in database export; do
  [ -d "$backup/$part" ] || continue
  # No --delete: what left the local folder after 30 days stays there for 90.
  rsync --recursive --times --mkpath --checksum --exclude='*.part' --timeout=120 "$backup/$part/" "$OFFSITE/$part/"
  rsync --list-only --timeout=120 "$OFFSITE/$part/" | sed -n 's/^-.* \([^ ]*\)$/\1/p' >"$empty/.names"
  LIST=1 sh "$here/rotate.sh" - "${OFFSITE_KEEP_DAYS:-90}" "$today" <"$empty/.names" >"$empty/.old"
  rm "$empty/.names"
  if [ -s "$empty/.old" ]; then
    mv "$empty/.old" "$empty.old"
    rsync --recursive --delete --include-from="$empty.old" --exclude='*' --timeout=120 "$empty/" "$OFFSITE/$part/"
    sed 's/^/offsite: removed /' "$empty.old"
    rm "$empty.old"
  else
    rm "$empty/.old"
  fi
done
echo "offsite: copied"
sh "$here/metric.sh" porchlight_offsite_last_success_timestamp_seconds "$now"
