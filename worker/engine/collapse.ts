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

/** Nothing came in time; or, for `only-if-cached`, nothing was there. */
export const TIMEOUT: Resolution = { kind: 'failed', failure: 'timeout', retryAfterMs: 1000 };

/** The response a resolution brings for everyone, if it does. */
export function broughtBy(resolution: Resolution): StoredMeta | undefined {
  if (resolution.kind === 'entry') return resolution.entry;
  return resolution.kind === 'stream' ? resolution.meta : undefined;
}

/** How often a reader waits anew behind clients past their limit before it asks by itself. */
const MAX_TURNS = 4;

/** A limit is its own client's: whoever waited with it is not refused for it. */
export const isOthersLimit = ({ resolution, isLeader }: Pick<Landing, 'resolution' | 'isLeader'>): boolean =>
  !isLeader && resolution.kind === 'failed' && resolution.failure === 'rate-limited';

/** One reader's request for a page. */
interface Asking {
  readonly page: Page;
  readonly now: number;
  readonly ledgerReady: Promise<void> | undefined;
  readonly keep: Keep;
  /** Its client's limit has been asked already. */
  readonly isCleared: boolean;
}

/**
 * Collapsed forwarding: readers of one page take one flight, unless the ledger says it set off too early for them.
 * What holds for one reader only (its limit, its variant, `only-if-cached`) is decided for that one.
 */
export class Collapser {
  readonly flights = new Flights();
  readonly #deps: EngineDeps;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  async take(page: Page, now: number, ledgerReady: Promise<void> | undefined, keep: Keep): Promise<Landing> {
    const asking: Asking = { page, now, ledgerReady, keep, isCleared: false };
    let landing = await this.#takeNew(asking);
    if (!isOthersLimit(landing)) return landing;
    if (page.onlyIfCached) return { ...landing, resolution: TIMEOUT, candidate: undefined };
    const isCleared = await this.#deps.mayMiss(page.client.address);
    if (!isCleared) return { ...landing, isLeader: true };
    for (let turn = 0; turn < MAX_TURNS && isOthersLimit(landing); turn += 1)
      landing = await this.#land(...this.#join({ ...asking, isCleared }), asking);
    return landing;
  }

  /** The running flight, if what it brings is new enough for this reader; else one that was begun after it came. */
  async #takeNew(asking: Asking): Promise<Landing> {
    const { page } = asking;
    const [flight, isLeader] = this.#join(asking);
    if (isLeader) return this.#land(flight, true, asking);
    // It was on its way before this reader came: a purge may have been acknowledged in between.
    await asking.ledgerReady;
    const tags = flight.candidate?.entry.tags ?? [];
    if (flight.seq === undefined || this.#isValid({ key: page.key, tags, seq: flight.seq })) {
      const landing = await this.#land(flight, false, asking);
      const brought = broughtBy(landing.resolution);
      if (brought === undefined || this.#isValid(brought)) return landing;
    }
    this.flights.drop(page.key, flight);
    return this.#land(...this.#join(asking), asking);
  }

  #isValid(stored: Pick<StoredMeta, 'key' | 'tags' | 'seq'>): boolean {
    return this.#deps.ledger.index.verdict(stored) === 'valid';
  }

  #join(asking: Asking): [Flight, boolean] {
    const { page, keep } = asking;
    const isLookUp = page.onlyIfCached && !this.flights.has(page.key);
    const [flight, isLeader] = isLookUp
      ? this.flights.join(`${page.key}#stored`, (state) => this.#lookUp(state, asking))
      : this.flights.join(page.key, (state) => this.#fly(state, asking));
    if (isLeader) keep(flight.done.catch(() => undefined));
    return [flight, isLeader];
  }

  async #fly(state: FlightState, { page, now, ledgerReady, keep, isCleared }: Asking): Promise<Resolution> {
    const candidate = await locate(this.#deps, page, now, ledgerReady, keep);
    state.candidate = candidate;
    if (candidate && isReady(candidate)) return entryResolution(candidate, false);
    const begun = (seq: number): void => {
      state.seq = seq;
    };
    return resolve(this.#deps, page, candidate, keep, { isCleared, begun });
  }

  async #lookUp(state: FlightState, asking: Asking): Promise<Resolution> {
    const candidate = await this.#stored(asking);
    state.candidate = candidate;
    if (candidate === undefined) return TIMEOUT;
    return isReady(candidate)
      ? entryResolution(candidate, false)
      : { kind: 'failed', failure: 'breaker-open', retryAfterMs: 1000 };
  }

  /** What is stored for this reader; for `only-if-cached` (RFC 9111 §5.2.1.7) stale only with home known to be away. */
  async #stored({ page, now, ledgerReady, keep }: Asking): Promise<Candidate | undefined> {
    const found = await locate(this.#deps, page, now, ledgerReady, keep);
    if (found === undefined || isReady(found) || !page.onlyIfCached) return found;
    return this.#deps.origin(page.route.to).isOpen(this.#deps.clock()) ? found : undefined;
  }

  /** The flight's end; or, with a copy that may stand in, the end of this reader's patience. */
  async #land(flight: Flight, isLeader: boolean, asking: Asking): Promise<Landing> {
    const { page, now, keep } = asking;
    const early = await patience(flight.done, this.#deps.limits.staleWaitMs);
    const own = early === undefined ? await this.#ownCopy(flight, isLeader, asking) : undefined;
    const mayStandIn = own !== undefined && (own.judgement.use === 'fresh' || own.judgement.may.whenUnreachable);
    const ended = early ?? (mayStandIn ? undefined : await patience(flight.done, GIVE_UP_MS));
    if (ended === undefined && isLeader) keep(flight.done.then(discard, () => undefined));
    const isLost = ended === undefined ? !mayStandIn : ended.kind === 'stream' && ended.body.isLost;
    if (isLost) this.flights.drop(page.key, flight);
    if (ended !== undefined && ended.kind !== 'failed')
      return { resolution: ended, candidate: flight.candidate, isLeader };
    const found = own ?? (await this.#ownCopy(flight, isLeader, asking));
    // As the ledger sees it now: a take-down may have come since it was found.
    const candidate = found && appraise(this.#deps, found.entry, found.tier, now);
    const resolution = candidate && isReady(candidate) ? entryResolution(candidate, true) : (ended ?? TIMEOUT);
    return { resolution, candidate, isLeader };
  }

  /** The copy found on the way; another variant's is none of this reader's (RFC 9111 §4.1), which then has to look. */
  async #ownCopy({ candidate }: Flight, isLeader: boolean, asking: Asking): Promise<Candidate | undefined> {
    const { page, now } = asking;
    if (!isLeader && page.varies) return this.#stored(asking);
    const isMine = candidate && selectionMatches(candidate.entry.selection, candidate.entry.headers, page.read);
    return isMine ? appraise(this.#deps, candidate.entry, candidate.tier, now) : undefined;
  }
}
