#!/bin/sh
# Copies $BACKUP/{database,export} to $OFFSITE (any rsync target) and removes there what is older than 90 days.
# What rotted at home must not take the good copy away: a file that fails its checksum is not copied and fails the run, and of
# what is there already only today's files are written again.
# The target may be a restricted rsync-only account, so its files are listed and removed through rsync itself.
# env: BACKUP, OFFSITE, OFFSITE_KEEP_DAYS (90), TODAY, NOW, RSYNC_RSH
set -eu
here=$(dirname "$0")
today=${TODAY:-$(date -u +%Y%m%d)}
now=${NOW:-$(date -u +%s)}
backup=${BACKUP:-/backup}
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
failed=0
damaged=$(mktemp)
trap 'rm -rf "$empty" "$damaged"' EXIT

# Names of the files of a folder that do not match their checksum, or are dumps without one, into $damaged.
verify() {
  : >"$damaged"
  for file in "$1"/*; do
    name=${file##*/}
    case $name in '*' | *.part | *.sha256) continue ;; esac
    if [ -f "$file.sha256" ]; then
      (cd "$1" && sha256sum -c "$name.sha256" >/dev/null 2>&1) && continue
    else
      case $name in *.dump) ;; *) continue ;; esac
    fi
    echo "offsite: $file does not match its checksum and is not copied; the offsite copy of it stays as it is" >&2
    printf '%s\n%s\n' "/$name" "/$name.sha256" >>"$damaged"
    failed=1
  done
}

for part in database export; do
  [ -d "$backup/$part" ] || continue
  verify "$backup/$part"
  # No --delete: what left the local folder after 30 days stays there for 90.
  set -- --recursive --times --mkpath --exclude-from="$damaged" --exclude='*.part' --timeout=120
  rsync "$@" --ignore-existing "$backup/$part/" "$OFFSITE/$part/"
  rsync "$@" --checksum --include="*-$today.*" --exclude='*' "$backup/$part/" "$OFFSITE/$part/"
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
[ "$failed" = 0 ] || exit 1
echo "offsite: copied"
sh "$here/metric.sh" porchlight_offsite_last_success_timestamp_seconds "$now"
