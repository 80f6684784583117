#!/bin/sh
# Writes every object that the repository does not hold (and those it does) to $BACKUP/export/cluster-YYYYMMDD.yaml.gz.
# Secrets are left out on purpose: they are in Git, encrypted. env: BACKUP, TODAY, NOW
set -eu
here=$(dirname "$0")
today=${TODAY:-$(date -u +%Y%m%d)}
now=${NOW:-$(date -u +%s)}
dir=${BACKUP:-/backup}/export
mkdir -p "$dir"
out=$dir/cluster-$today.yaml.gz
kinds=namespaces,deployments,statefulsets,daemonsets,cronjobs,jobs,services,configmaps,persistentvolumeclaims
kinds=$kinds,persistentvolumes,networkpolicies,horizontalpodautoscalers,poddisruptionbudgets,resourcequotas,limitranges
kinds=$kinds,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,storageclasses,nodes
kubectl get "$kinds" --all-namespaces --output=yaml --request-timeout=120s >"$out.part.raw"
[ -s "$out.part.raw" ] || { echo "export: the API server returned nothing" >&2; exit 1; }
gzip -c "$out.part.raw" >"$out.part"
rm "$out.part.raw"
gzip -t "$out.part"
mv "$out.part" "$out"
echo "export: $(basename "$out"), $(wc -c <"$out" | tr -d ' ') bytes"
sh "$here/rotate.sh" "$dir" "${KEEP_DAYS:-30}" "$today"
sh "$here/metric.sh" porchlight_export_last_success_timestamp_seconds "$now"
