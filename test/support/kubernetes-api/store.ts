/** A Kubernetes object, as far as a store cares. */
export interface StoredObject {
  metadata: {
    namespace: string;
    name: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec?: unknown;
  status?: unknown;
}

export interface StoredEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resourceVersion: number;
  readonly object: StoredObject;
}

/**
 * What etcd and the watch cache are to the API server: objects under one counter of versions, and a history of events that is compacted,
 * after which an old position is gone.
 */
export class ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(event: StoredEvent) => void>();
  #events: StoredEvent[] = [];
  #version = 200;
  #compactedTo = 200;

  get version(): number {
    return this.#version;
  }

  list(): StoredObject[] {
    return [...this.#objects.values()];
  }

  put(object: StoredObject): void {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version++;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(key, stored);
    this.#emit({ type, resourceVersion: this.#version, object: stored });
  }

  delete(namespace: string, name: string): void {
    const object = this.#objects.get(`${namespace}/${name}`);
    if (!object) return;
    this.#objects.delete(`${namespace}/${name}`);
    this.#version++;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#emit({ type: 'DELETED', resourceVersion: this.#version, object: last });
  }

  /** Forgets the history: positions before now are too old to watch from. */
  compact(): void {
    this.#version++;
    this.#compactedTo = this.#version;
    this.#events = [];
  }

  /** Events after a position, or null where it is gone. */
  since(position: number): StoredEvent[] | null {
    if (position < this.#compactedTo) return null;
    return this.#events.filter((event) => event.resourceVersion > position);
  }

  get compactedTo(): number {
    return this.#compactedTo;
  }

  listen(listener: (event: StoredEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(event: StoredEvent): void {
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
