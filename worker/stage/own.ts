import type { HeaderList } from '../policy/header-list.ts';
import type { StoredResponse } from '../policy/stored.ts';
import type { ReadField } from '../policy/vary.ts';
import type { ColoTier } from '../tiers/colo.ts';
import type { MemoryTier } from '../tiers/memory.ts';
import type { CacheStage } from './stage.ts';

const NONE: HeaderList = [];

/** Memory of the isolate over the Cache API of the data centre. */
export class OwnStage implements CacheStage {
  readonly name = 'own';
  readonly #memory: MemoryTier;
  readonly #colo: ColoTier;
  readonly #onError: (error: unknown) => void;

  constructor(memory: MemoryTier, colo: ColoTier, onError: (error: unknown) => void) {
    this.#memory = memory;
    this.#colo = colo;
    this.#onError = onError;
  }

  peek(key: string, read: ReadField): StoredResponse | undefined {
    return this.#memory.peek(key, read);
  }

  async get(key: string, read: ReadField): Promise<StoredResponse | undefined> {
    try {
      return await this.#colo.get(key, read);
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }

  remember(entry: StoredResponse): void {
    this.#memory.keep(entry);
  }

  async put(entry: StoredResponse): Promise<void> {
    this.#memory.keep(entry);
    // A part of a representation is worth keeping near, not worth a variant record in the Cache API.
    if (entry.part !== undefined) return;
    try {
      await this.#colo.put(entry);
    } catch (error) {
      this.#onError(error);
    }
  }

  async delete(key: string): Promise<void> {
    await this.#memory.delete(key);
    await this.#colo.delete(key).catch(this.#onError);
  }

  hasVariants(key: string): boolean {
    return this.#memory.has(key);
  }

  fields(): HeaderList {
    return NONE;
  }

  async purge(): Promise<void> {}
}
