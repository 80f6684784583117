import type { KubernetesApi } from './server.ts';
import type { StoredObject } from './store.ts';

/** The numbers and conditions the deployment controller writes, from least to most. */
export interface RolloutStatus {
  observedGeneration: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  progressing?: 'NewReplicaSetCreated' | 'ReplicaSetUpdated' | 'NewReplicaSetAvailable' | 'ProgressDeadlineExceeded';
}

export interface DeploymentOptions {
  readonly name?: string;
  readonly namespace?: string;
  replicas?: number;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
}

/** A Deployment and the controller that would move it: every step is one write, hence one event. */
export class FakeDeployment {
  readonly #api: KubernetesApi;
  readonly #options: Required<DeploymentOptions>;
  readonly #uid = crypto.randomUUID();
  #generation = 0;
  #image = '';
  #status: RolloutStatus = { observedGeneration: 0 };

  constructor(api: KubernetesApi, options: DeploymentOptions = {}) {
    this.#api = api;
    this.#options = {
      name: 'blog',
      namespace: 'web',
      replicas: 2,
      labels: { app: 'blog', 'porchlight.dev/purge': 'true' },
      annotations: { 'porchlight.dev/tags': 'type:html' },
      ...options,
    };
  }

  get replicas(): number {
    return this.#options.replicas;
  }

  /** The author's part: another image. */
  setImage(image: string): void {
    this.#image = image;
    this.#generation++;
    this.#write();
  }

  /** Something else of the spec: the number of replicas. */
  scale(replicas: number): void {
    this.#options.replicas = replicas;
    this.#generation++;
    this.#write();
  }

  annotate(annotations: Record<string, string>): void {
    Object.assign(this.#options.annotations, annotations);
    this.#write();
  }

  status(status: Omit<RolloutStatus, 'observedGeneration'> & { observedGeneration?: number }): void {
    this.#status = { observedGeneration: this.#generation, ...status };
    this.#write();
  }

  /** All the way, pod by pod, as the recorded rollout went. */
  rollOut(image: string): void {
    const { replicas } = this.#options;
    this.setImage(image);
    for (let updated = 1; updated <= replicas; updated++) {
      const all = { replicas: replicas + 1, updatedReplicas: updated, progressing: 'ReplicaSetUpdated' as const };
      this.status({ ...all, readyReplicas: replicas, availableReplicas: replicas });
      this.status({ ...all, readyReplicas: replicas + 1, availableReplicas: replicas + 1 });
    }
    this.complete();
  }

  complete(): void {
    const { replicas } = this.#options;
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
    this.status({ ...counts, progressing: 'NewReplicaSetAvailable' });
  }

  #write(): void {
    const { name, namespace, labels, annotations, replicas } = this.#options;
    const { progressing, ...counts } = this.#status;
    const condition = {
      type: 'Progressing',
      status: progressing === 'ProgressDeadlineExceeded' ? 'False' : 'True',
      reason: progressing,
    };
    const object: StoredObject = {
      metadata: {
        name,
        namespace,
        uid: this.#uid,
        generation: this.#generation,
        labels,
        annotations: { ...annotations },
      },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: this.#image }] } },
      },
      status: { ...counts, ...(progressing ? { conditions: [condition] } : {}) },
    };
    this.#api.store.put(object);
  }
}
