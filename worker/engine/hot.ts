import type { InvalidationIndex } from '../policy/invalidation.ts';
import { judge } from '../policy/reuse.ts';
import type { StoredResponse } from '../policy/stored.ts';
import { answerHeaders, bodyOf, timing } from './answer.ts';
import type { EngineDeps } from './deps.ts';

/** An answer's fields stay the same until the next second of `Age`, the end of freshness, or news from the ledger. */
interface HotHead {
  readonly index: InvalidationIndex;
  readonly until: number;
  readonly headers: Headers;
}

const READ_NOTHING = (): null => null;
/** Pages whose fields are kept for the rest of their second; one more is worked out anew each time. */
const MAX_HEADS = 1024;
const BODILESS = new Set([204, 205, 304]);

/**
 * The answer most readers get: a fresh page from memory to a plain GET. Synchronous, and everything that does not
 * change with every request (verdict, judgement, fields) is worked out once a second per page.
 */
export class HotPath {
  /** Of the current second: no head outlives its `Age`, and what is dropped whole costs the collector little. */
  #heads = new Map<StoredResponse, HotHead>();
  #second = 0;
  readonly #deps: EngineDeps;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  /** undefined when this page needs the whole engine. `key` is that of a request without conditions, range or credentials. */
  answer(key: string, now: number): Response | undefined {
    const { stage, ledger } = this.#deps;
    if (!ledger.isYoung(now)) return undefined;
    const entry = stage.peek(key, READ_NOTHING);
    if (entry === undefined || entry.selection.names.length > 0) return undefined;
    const head = this.#head(entry, now);
    if (head === undefined) return undefined;
    return new Response(BODILESS.has(entry.status) ? null : bodyOf(entry.body), {
      status: entry.status,
      headers: head.headers,
    });
  }

  #head(entry: StoredResponse, now: number): HotHead | undefined {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#heads = new Map();
    }
    const known = this.#heads.get(entry);
    if (known !== undefined && known.index === this.#deps.ledger.index && now < known.until) return known;
    const head = this.#prepare(entry, now);
    if (head !== undefined && (known !== undefined || this.#heads.size < MAX_HEADS)) this.#heads.set(entry, head);
    return head;
  }

  #prepare(entry: StoredResponse, now: number): HotHead | undefined {
    const { ledger, secure, stage } = this.#deps;
    const { index } = ledger;
    const judgement = judge(entry, index.verdict(entry), now);
    if (judgement.use !== 'fresh') return undefined;
    const outcome = { hit: true, ttl: judgement.ttl, detail: 'memory' };
    const answered = {
      outcome,
      age: judgement.age,
      timing: timing(outcome),
      extra: stage.fields(entry, judgement.ttl),
    };
    const secondsLeft = Math.min(Math.floor(judgement.age) + 1 - judgement.age, entry.lifetime.fresh - judgement.age);
    return { index, until: now + secondsLeft * 1000, headers: answerHeaders(entry.headers, answered, secure) };
  }
}
