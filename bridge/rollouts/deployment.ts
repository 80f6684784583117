import type { Deployment } from '../policy/rollout.ts';

/** The fields read; everything else of the object is left alone. */
interface WireDeployment {
  metadata?: {
    namespace?: string;
    name?: string;
    uid?: string;
    generation?: number;
    annotations?: Record<string, string>;
  };
  spec?: {
    replicas?: number;
    template?: { spec?: { containers?: { image?: string }[]; initContainers?: { image?: string }[] } };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: { type?: string; reason?: string }[];
  };
}

/** From the API's shape, where absent numbers are zero and `spec.replicas` defaults to one (apps/v1 DeploymentSpec). */
export function deploymentOf(object: unknown): Deployment {
  const { metadata = {}, spec = {}, status = {} } = object as WireDeployment;
  const pod = spec.template?.spec;
  const progressing = status.conditions?.find((condition) => condition.type === 'Progressing');
  return {
    namespace: metadata.namespace ?? 'default',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    generation: metadata.generation ?? 0,
    annotations: metadata.annotations ?? {},
    replicas: spec.replicas ?? 1,
    template: spec.template ?? {},
    images: [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])].map((container) => container.image ?? ''),
    status: {
      observedGeneration: status.observedGeneration ?? 0,
      replicas: status.replicas ?? 0,
      updatedReplicas: status.updatedReplicas ?? 0,
      readyReplicas: status.readyReplicas ?? 0,
      availableReplicas: status.availableReplicas ?? 0,
      deadlineExceeded: progressing?.reason === 'ProgressDeadlineExceeded',
    },
  };
}
