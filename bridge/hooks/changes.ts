/** The stages of cluster/gitops/flux/stages.yaml: a label's values are few and known beforehand. */
export const STAGES = ['namespaces', 'controllers', 'configs', 'data', 'monitoring', 'apps', 'flux'] as const;

/** One line for each object, as fluxcd/pkg/ssa writes a change set: `Deployment/web/blog configured`. */
const CHANGED = /^\S+\/\S+ (created|configured)$/m;

/**
 * The stage whose objects an event says were changed, `other` for a Kustomization of another name, null for an event that
 * tells of no change (finished, healthy, pruned, failed). kustomize-controller sends such an event only where the
 * cluster differed from Git: after a commit, or because somebody worked against it.
 */
export function changedStage(event: Readonly<Record<string, unknown>>): string | null {
  const involved = (event.involvedObject ?? {}) as Record<string, unknown>;
  if (involved.kind !== 'Kustomization' || event.severity !== 'info') return null;
  if (typeof event.message !== 'string' || !CHANGED.test(event.message)) return null;
  return STAGES.find((stage) => stage === involved.name) ?? 'other';
}
