/** What of a Deployment (apps/v1) matters here. */
export interface Deployment {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** `spec.template`, as the API server gave it. */
  readonly template: unknown;
  readonly images: readonly string[];
  readonly status: {
    readonly observedGeneration: number;
    readonly replicas: number;
    readonly updatedReplicas: number;
    readonly readyReplicas: number;
    readonly availableReplicas: number;
    readonly deadlineExceeded: boolean;
  };
}

/** What was published of it before. */
export interface PublishedRollout {
  readonly uid: string;
  readonly generation: number;
  readonly serial: number;
  /** Fingerprint of the pod template. */
  readonly template: string;
  /** Fingerprint of a template whose pods served readers without its rollout having been completed. */
  readonly exposed: string | null;
}

export type Progress =
  | {
      readonly state: 'waiting';
      readonly reason: 'not-observed' | 'updating' | 'terminating-old' | 'becoming-available';
    }
  | { readonly state: 'failed'; readonly reason: 'progress-deadline-exceeded' }
  | { readonly state: 'complete' };

/**
 * `kubectl rollout status` for Deployments, condition by condition and in its order
 * (kubernetes/kubectl pkg/polymorphichelpers/rollout_status.go).
 */
export function progressOf({ generation, replicas, status }: Deployment): Progress {
  if (generation > status.observedGeneration) return { state: 'waiting', reason: 'not-observed' };
  if (status.deadlineExceeded) return { state: 'failed', reason: 'progress-deadline-exceeded' };
  if (status.updatedReplicas < replicas) return { state: 'waiting', reason: 'updating' };
  if (status.replicas > status.updatedReplicas) return { state: 'waiting', reason: 'terminating-old' };
  if (status.availableReplicas < status.updatedReplicas) return { state: 'waiting', reason: 'becoming-available' };
  return { state: 'complete' };
}

export type Decision =
  | { readonly action: 'ignore'; readonly reason: 'older-than-published' | 'already-published' | 'scaled-to-zero' }
  | { readonly action: 'wait'; readonly reason: string }
  /** New pods answer readers before the rollout is complete: if it is undone, what they answered must go. */
  | { readonly action: 'note-exposure'; readonly reason: 'new-pods-serve' }
  | { readonly action: 'publish'; readonly reason: 'first-seen' | 'new-template' | 'rolled-back-after-serving' };

/**
 * What to do about a Deployment as it is now. A template is published once, when its rollout is complete; going back to an earlier one is a
 * new publication if the later one was completed or had served, and nothing at all if it never came up.
 * @param template fingerprint of the pod template, image digests included.
 */
export function decideRollout(deployment: Deployment, template: string, published: PublishedRollout | null): Decision {
  if (published && published.uid === deployment.uid && deployment.generation < published.generation) {
    return { action: 'ignore', reason: 'older-than-published' };
  }
  const changed = template !== published?.template;
  const progress = progressOf(deployment);
  if (progress.state !== 'complete') {
    const exposes = published !== null && changed && published.exposed !== template && newPodsServe(deployment);
    return exposes
      ? { action: 'note-exposure', reason: 'new-pods-serve' }
      : { action: 'wait', reason: progress.reason };
  }
  // Complete in kubectl's eyes, but nobody is there to answer for the new template.
  if (deployment.status.availableReplicas === 0) return { action: 'ignore', reason: 'scaled-to-zero' };
  if (published === null) return { action: 'publish', reason: 'first-seen' };
  if (changed) return { action: 'publish', reason: 'new-template' };
  if (published.exposed !== null) return { action: 'publish', reason: 'rolled-back-after-serving' };
  return { action: 'ignore', reason: 'already-published' };
}

/** Of the ready pods more than there are old ones: at least one new pod is ready. Meaningless while the status is of an older generation. */
function newPodsServe({ generation, status }: Deployment): boolean {
  return status.observedGeneration >= generation && status.readyReplicas > status.replicas - status.updatedReplicas;
}
