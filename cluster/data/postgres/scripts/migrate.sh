#!/bin/sh
# Applies every /migrations/NNNN-name.sql once, in order, each in a transaction with its own record.
# env: the libpq variables (PGHOST, PGUSER, ...), MIGRATIONS (folder)
set -eu
dir=${MIGRATIONS:-/migrations}
psql -v ON_ERROR_STOP=1 -qAt -c "SET client_min_messages = warning; CREATE TABLE IF NOT EXISTS schema_migrations
  (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
for file in "$dir"/[0-9]*.sql; do
  name=$(basename "$file")
  sum=$(sha256sum "$file" | cut -d' ' -f1)
  known=$(psql -v ON_ERROR_STOP=1 -qAt -c "SELECT sha256 FROM schema_migrations WHERE name = '$name'")
  if [ "$known" = "$sum" ]; then continue; fi
  if [ -n "$known" ]; then
    echo "migrate: $name was changed after it was applied; add a new migration instead" >&2
    exit 1
  fi
  {
    # Two Jobs at once: the second waits here, then fails on the primary key and is retried.
    echo "SELECT pg_advisory_xact_lock(71077);"
    cat "$file"
    echo "INSERT INTO schema_migrations (name, sha256) VALUES ('$name', '$sum');"
  } | psql -v ON_ERROR_STOP=1 -q -1 -f - >/dev/null
  echo "migrate: applied $name"
done
