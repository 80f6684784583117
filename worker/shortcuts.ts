/**
 * A bounded map in two generations: when the young one is full the old one is dropped whole. What was asked for lately stays,
 * nothing has to be counted or sorted, and a flood of new names costs at most one generation.
 */
export class Shortcuts {
  readonly #max: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** Holds between `max` and twice `max` entries once it is full. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(name: string): string | undefined {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const old = this.#old.get(name);
    if (old === undefined) return undefined;
    this.#old.delete(name);
    this.set(name, old);
    return old;
  }

  set(name: string, value: string): void {
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, value);
  }
}
