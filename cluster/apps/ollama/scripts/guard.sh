#!/bin/sh
# Writes what /api/ps says of loaded models as Prometheus metrics: Ollama falls back to the CPU silently and answers 200.
# usage: guard.sh BASE_URL FILE; with ONCE=1 it writes one sample and ends.
set -eu
base=$1 file=$2

# field NAME: the sum of a numeric field over all models in the JSON on stdin; no loaded model sums to 0.
field() {
  tr '{},' '[\n*]' | sed -n "s/^ *\"$1\": *\([0-9][0-9]*\).*/\1/p" | awk '{ s += $1 } END { printf "%.0f\n", s }'
}

sample() {
  if body=$(wget -q -T 5 -O - "$base/api/ps"); then up=1; else up=0 body='{"models":[]}'; fi
  {
    echo '# HELP porchlight_ollama_up Whether the engine answered /api/ps.'
    echo '# TYPE porchlight_ollama_up gauge'
    echo "porchlight_ollama_up $up"
    echo '# HELP porchlight_ollama_model_bytes Memory of all loaded models.'
    echo '# TYPE porchlight_ollama_model_bytes gauge'
    echo "porchlight_ollama_model_bytes $(printf '%s' "$body" | field size)"
    echo '# HELP porchlight_ollama_model_vram_bytes The part of it on the GPU; 0 with a loaded model means CPU.'
    echo '# TYPE porchlight_ollama_model_vram_bytes gauge'
    echo "porchlight_ollama_model_vram_bytes $(printf '%s' "$body" | field size_vram)"
  } >"$file.new"
  mv "$file.new" "$file"
}

while :; do
  sample
  [ "${ONCE:-0}" = 1 ] && exit 0
  sleep 15
done
