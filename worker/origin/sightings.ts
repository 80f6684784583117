import { type Sighting, together } from '../policy/uptime.ts';

/** What nobody came for within this time is no news any more. */
const KEEP_MS = 10 * 60_000;

/**
 * What this isolate saw of its upstreams, until one of its calls to the ledger takes it along: telling costs no call
 * of its own.
 */
export class Sightings {
  readonly #seen = new Map<string, Sighting>();

  note(sighting: Sighting): void {
    const before = this.#seen.get(sighting.upstream);
    const isNews = before === undefined || sighting.at - before.at > KEEP_MS;
    this.#seen.set(sighting.upstream, isNews ? sighting : together(before, sighting));
  }

  /** What is to be told now; undefined where there is nothing. */
  take(now: number): readonly Sighting[] | undefined {
    if (this.#seen.size === 0) return undefined;
    const news = [...this.#seen.values()].filter(({ at }) => now - at <= KEEP_MS);
    this.#seen.clear();
    return news.length === 0 ? undefined : news;
  }
}
