#!/bin/sh
# Pulls every model of $MODELS into the volume with a server of its own, so that the serving pod needs no way out.
set -eu
ollama serve &
server=$!
trap 'kill "$server"' EXIT
tries=0
until ollama list >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "pull: the server did not start within 60 s; see its lines above" >&2; exit 1; }
  sleep 1
done
for model in $MODELS; do
  echo "pull: $model"
  ollama pull "$model"
done
ollama list
