import type { StoredMeta } from '../policy/stored.ts';
import { selectionMatches } from '../policy/vary.ts';
import type { EngineDeps } from './deps.ts';
import { type Flight, type FlightState, Flights, patience } from './flight.ts';
import { appraise, type Candidate, isReady, locate } from './locate.ts';
import type { Keep, Page } from './page.ts';
import { discard, type Resolution } from './resolution.ts';
import { entryResolution, resolve } from './resolve.ts';

/** Longest a reader waits for others' work before it gives up; the origin's own deadlines are shorter. */
export const GIVE_UP_MS = 30_000;

/** What one reader gets from the flight it took. */
export interface Landing {
  readonly resolution: Resolution;
  /** The best stored copy, for this reader. */
  readonly candidate: Candidate | undefined;
  readonly isLeader: boolean;
}

const TIMEOUT: Resolution = { kind: 'failed', failure: 'timeout', retryAfterMs: 1000 };

/** The response a resolution brings for everyone, if it does. */
export function broughtBy(resolution: Resolution): StoredMeta | undefined {
  if (resolution.kind === 'entry') return resolution.entry;
  return resolution.kind === 'stream' ? resolution.meta : undefined;
}

/** Collapsed forwarding: readers of one page take one flight, unless the ledger says it set off too early for them. */
export class Collapser {
  readonly flights = new Flights();
  readonly #deps: EngineDeps;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  async take(page: Page, now: number, ledgerReady: Promise<void> | undefined, keep: Keep): Promise<Landing> {
    const [flight, isLeader] = this.#join(page, now, ledgerReady, keep);
    if (isLeader) return this.#land(flight, true, page, now, keep);
    // It was on its way before this reader came: a purge may have been acknowledged in between.
    await ledgerReady;
    const tags = flight.candidate?.entry.tags ?? [];
    if (flight.seq === undefined || this.#isValid({ key: page.key, tags, seq: flight.seq })) {
      const landing = await this.#land(flight, false, page, now, keep);
      const brought = broughtBy(landing.resolution);
      if (brought === undefined || this.#isValid(brought)) return landing;
    }
    this.flights.drop(page.key, flight);
    // Whichever runs now was begun after this reader came: whatever it brings is new enough.
    const [next, leadsNext] = this.#join(page, now, undefined, keep);
    return this.#land(next, leadsNext, page, now, keep);
  }

  #isValid(stored: Pick<StoredMeta, 'key' | 'tags' | 'seq'>): boolean {
    return this.#deps.ledger.index.verdict(stored) === 'valid';
  }

  #join(page: Page, now: number, ledgerReady: Promise<void> | undefined, keep: Keep): [Flight, boolean] {
    const [flight, isLeader] = this.flights.join(page.key, (state) => this.#fly(state, page, now, ledgerReady, keep));
    if (isLeader) keep(flight.done.catch(() => undefined));
    return [flight, isLeader];
  }

  async #fly(
    state: FlightState,
    page: Page,
    now: number,
    ledgerReady: Promise<void> | undefined,
    keep: Keep,
  ): Promise<Resolution> {
    const candidate = await locate(this.#deps, page, now, ledgerReady, keep);
    state.candidate = candidate;
    if (candidate && isReady(candidate)) return entryResolution(candidate, false);
    if (page.onlyIfCached) return { kind: 'failed', failure: 'timeout', status: 504, retryAfterMs: 1000 };
    return resolve(this.#deps, page, candidate, keep, true, (seq) => {
      state.seq = seq;
    });
  }

  /** The flight's end; or, with a copy that may stand in, the end of this reader's patience. */
  async #land(flight: Flight, isLeader: boolean, page: Page, now: number, keep: Keep): Promise<Landing> {
    const resolution = await this.#await(flight, page, now);
    if (resolution === undefined && isLeader) keep(flight.done.then(discard, () => undefined));
    return { resolution: resolution ?? TIMEOUT, candidate: this.#standIn(flight, now), isLeader };
  }

  async #await(flight: Flight, page: Page, now: number): Promise<Resolution | undefined> {
    const early = await patience(flight.done, this.#deps.limits.staleWaitMs);
    if (early === undefined) {
      const candidate = this.#standIn(flight, now);
      const mayStandIn = candidate?.judgement.use === 'stale' && candidate.judgement.may.whenUnreachable;
      if (mayStandIn && selectionMatches(candidate.entry.selection, candidate.entry.headers, page.read))
        return undefined;
    }
    const ended = early ?? (await patience(flight.done, GIVE_UP_MS));
    if (ended === undefined || (ended.kind === 'stream' && ended.body.isLost)) this.flights.drop(page.key, flight);
    return ended;
  }

  /** The copy found on the way, as the ledger sees it now: a take-down may have come since. */
  #standIn({ candidate }: Flight, now: number): Candidate | undefined {
    return candidate && appraise(this.#deps, candidate.entry, candidate.tier, now);
  }
}
