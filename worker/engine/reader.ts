import type { CacheOutcome } from '../policy/cache-status.ts';
import { field } from '../policy/header-list.ts';
import { isWhole } from '../policy/range.ts';
import { currentAge } from '../policy/reuse.ts';
import type { StoredResponse } from '../policy/stored.ts';
import { selectionMatches } from '../policy/vary.ts';
import { answerHeaders, isReaderCurrent, notModified, sized, storedAnswer, timing, wholeAnswer } from './answer.ts';
import { broughtBy, Collapser, GIVE_UP_MS, isOthersLimit, TIMEOUT } from './collapse.ts';
import type { EngineDeps } from './deps.ts';
import { patience } from './flight.ts';
import { HotPath } from './hot.ts';
import { appraise, type Candidate, isReady, locate } from './locate.ts';
import { ownAnswer, problemAnswer } from './other-answers.ts';
import type { Keep, Page } from './page.ts';
import { Parts } from './partial.ts';
import { discard, type Resolution } from './resolution.ts';
import { entryResolution, resolve } from './resolve.ts';

const UNSHARED_MS = 60_000;
const MAX_UNSHARED = 2_000;

/** The one sequence every page goes through: look, judge, fetch if needed, answer, store behind the answer. */
export class PageReader {
  readonly hot: HotPath;
  readonly #deps: EngineDeps;
  readonly #collapser: Collapser;
  readonly #parts: Parts;
  /** Pages found unshareable a moment ago: nobody queues behind another for them. Until when, ms. */
  readonly #unshared = new Map<string, number>();

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.hot = new HotPath(deps);
    this.#collapser = new Collapser(deps);
    this.#parts = new Parts(deps, this.#collapser.flights, (page, keep) => this.read(page, deps.clock(), keep));
  }

  async read(page: Page, now: number, keep: Keep): Promise<Response> {
    const deps = this.#deps;
    const ledgerReady = deps.ledger.ready(now, keep);
    if (page.range !== null) {
      const part = await this.#parts.read(page, now, ledgerReady, keep);
      if (part !== undefined) return part;
    }
    if ((this.#unshared.get(page.key) ?? 0) > now) {
      // A copy from before the page became unshareable is judged by the ledger as well, and by one that may be trusted.
      await ledgerReady;
      return this.#alone(page, now, keep, false);
    }
    const remembered = ledgerReady === undefined ? deps.stage.peek(page.key, page.read) : undefined;
    const near = appraise(deps, remembered, 'memory', now);
    if (near && isReady(near)) return this.#answer(page, entryResolution(near, false), near, true, now, keep);
    const { resolution, candidate, isLeader } = await this.#collapser.take(page, now, ledgerReady, keep);
    return this.#answer(page, resolution, candidate, isLeader, now, keep);
  }

  async #answer(
    page: Page,
    resolution: Resolution,
    candidate: Candidate | undefined,
    isLeader: boolean,
    now: number,
    keep: Keep,
  ): Promise<Response> {
    const stored = broughtBy(resolution);
    const isMine = stored === undefined || selectionMatches(stored.selection, stored.headers, page.read);
    const left = resolution.kind === 'stream' && !isLeader && !resolution.body.joinable;
    const isAlone = !isMine || resolution.kind === 'own' || left || isOthersLimit({ resolution, isLeader });
    if (!isLeader && isAlone) return this.#alone(page, now, keep);
    switch (resolution.kind) {
      case 'entry':
        if (resolution.outcome.hit === true) this.#refreshBehind(page, candidate, keep);
        return this.#entry(page, resolution.entry, resolution.outcome, isLeader, now);
      case 'stream':
        return this.#stream(page, resolution, isLeader, now, keep);
      case 'own':
        this.#remember(page.key, now + UNSHARED_MS);
        return ownAnswer(this.#deps, resolution, candidate);
      case 'failed':
        return this.#failed(page, resolution, candidate, now);
    }
  }

  /** Not everyone's answer: this request asks for itself, outside the flight. */
  async #alone(page: Page, now: number, keep: Keep, leased = true): Promise<Response> {
    const candidate = await locate(this.#deps, page, now, undefined, keep);
    // A page found unshareable may have a copy from before: only a fresh one is still the origin's word.
    const usable = candidate !== undefined && (leased ? isReady(candidate) : candidate.judgement.use === 'fresh');
    if (usable) return this.#answer(page, entryResolution(candidate, true), candidate, true, now, keep);
    const resolution = page.onlyIfCached ? TIMEOUT : await resolve(this.#deps, page, candidate, keep, { leased });
    if (resolution.kind !== 'own' && resolution.kind !== 'failed') this.#unshared.delete(page.key);
    return this.#answer(page, resolution, candidate, true, now, keep);
  }

  #remember(key: string, until: number): void {
    this.#unshared.delete(key);
    this.#unshared.set(key, until);
    const oldest = this.#unshared.keys().next();
    if (this.#unshared.size > MAX_UNSHARED && !oldest.done) this.#unshared.delete(oldest.value);
  }

  /** Stale while revalidating (RFC 5861 §3): the reader has its answer, one revalidation runs behind it. */
  #refreshBehind(page: Page, candidate: Candidate | undefined, keep: Keep): void {
    if (candidate === undefined || candidate.judgement.use === 'fresh') return;
    const revalidate = async (): Promise<Resolution> => {
      const resolution = await resolve(this.#deps, page, candidate, keep);
      // The origin takes the page back: from now on every reader asks for itself.
      if (resolution.kind === 'own') this.#remember(page.key, this.#deps.clock() + UNSHARED_MS);
      await discard(resolution);
      return resolution;
    };
    const [flight, isLeader] = this.#collapser.flights.join(`${page.key}#revalidate`, revalidate);
    if (isLeader) keep(flight.done.catch(() => undefined));
  }

  #entry(page: Page, entry: StoredResponse, outcome: CacheOutcome, isLeader: boolean, now: number): Response {
    const ttl = outcome.ttl ?? 0;
    const said = isLeader || outcome.hit === true ? outcome : { ...outcome, collapsed: true };
    const answered = {
      outcome: said,
      age: currentAge(entry, now),
      timing: timing(said),
      extra: this.#deps.stage.fields(entry, ttl),
    };
    return storedAnswer(page, entry, answered, now, this.#deps.secure);
  }

  async #stream(
    page: Page,
    resolution: Extract<Resolution, { kind: 'stream' }>,
    isLeader: boolean,
    now: number,
    keep: Keep,
  ): Promise<Response> {
    const { meta, body } = resolution;
    const outcome = isLeader ? resolution.outcome : { ...resolution.outcome, collapsed: true };
    const reader = isLeader ? resolution.leader : body.stream();
    const answered = {
      outcome,
      age: currentAge(meta, now),
      timing: timing(outcome),
      extra: this.#deps.stage.fields(meta, resolution.outcome.ttl ?? 0),
    };
    const streams = isWhole(page.range) && field(meta.headers, 'content-length') !== undefined;
    if (page.range !== null && page.method === 'GET' && !streams) {
      const complete = await patience(resolution.complete, GIVE_UP_MS);
      if (complete !== undefined) {
        await reader.cancel();
        return storedAnswer(page, complete, answered, now, this.#deps.secure);
      }
    }
    const headers = answerHeaders(meta.headers, answered, this.#deps.secure);
    const current = isReaderCurrent(page, meta, now);
    if (current || page.method === 'HEAD') await reader.cancel();
    if (current) return notModified(headers);
    return wholeAnswer(meta, page.method === 'HEAD' ? null : sized(reader, meta, keep), headers, page.method);
  }

  /** The origin gave nothing usable: the last good copy, else a plain word. */
  #failed(
    page: Page,
    resolution: Extract<Resolution, { kind: 'failed' }>,
    candidate: Candidate | undefined,
    now: number,
  ): Response {
    const { failure, status } = resolution;
    const may = candidate?.judgement.use === 'stale' ? candidate.judgement.may : undefined;
    const allowed = failure === 'server-error' ? may?.onError : may?.whenUnreachable;
    if (candidate === undefined || allowed !== true) return problemAnswer(this.#deps, page, resolution);
    const asked = failure !== 'breaker-open' && failure !== 'rate-limited';
    const outcome: CacheOutcome = {
      ...(asked ? { fwd: 'stale' as const } : { hit: true }),
      ...(status === undefined ? {} : { fwdStatus: status }),
      ttl: candidate.judgement.ttl,
      detail: `stale-if-error:${failure}`,
    };
    return this.#entry(page, candidate.entry, outcome, true, now);
  }
}
