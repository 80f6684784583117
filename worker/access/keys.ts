import type { Refusal } from '../../shared/access/claims.ts';

interface Jwk {
  readonly kty?: unknown;
  readonly kid?: unknown;
  readonly alg?: unknown;
  readonly use?: unknown;
  readonly n?: unknown;
  readonly e?: unknown;
}

interface Held {
  readonly kid: string | undefined;
  readonly key: CryptoKey;
}

export interface KeysOptions {
  /** From the configuration, never from a token. */
  readonly url: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** As issuers ask: Google's keys live for hours and are published well before they are used. */
const FRESH_MS = 600_000;
/** With the issuer away the known keys go on for so long. */
const STALE_MS = 86_400_000;
/** An unknown key id has the set fetched again, but strangers who make up ids do not decide how often. */
const COOLDOWN_MS = 30_000;
const DEADLINE_MS = 5_000;
const BODY_MAX_CHARS = 100_000;
/** Without any keys yet several requests may fetch them: one request must not wait for another's fetch in a Worker. */
const COLD_FETCHES = 4;

/** An issuer's published keys (RFC 7517), of which only RSA signing keys count. */
export class IssuerKeys {
  readonly #options: KeysOptions;
  #held: readonly Held[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #tries = 0;

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  /** The key of this id; a token without one is taken only where the issuer has a single key. */
  async find(kid: string | undefined, now: number): Promise<CryptoKey | Refusal> {
    if (now - this.#fetchedAt >= FRESH_MS && this.#mayFetch(now)) await this.#fetch(now);
    let found = this.#among(kid);
    if (found === undefined && now - this.#fetchedAt >= COOLDOWN_MS && this.#mayFetch(now)) {
      await this.#fetch(now);
      found = this.#among(kid);
    }
    if (now - this.#fetchedAt >= STALE_MS) return 'keys-unavailable';
    return found ?? 'unknown-key';
  }

  #mayFetch(now: number): boolean {
    if (now - this.#triedAt >= (this.#held.length > 0 ? COOLDOWN_MS : DEADLINE_MS)) {
      this.#triedAt = now;
      this.#tries = 0;
    }
    this.#tries += 1;
    return this.#tries <= (this.#held.length > 0 ? 1 : COLD_FETCHES);
  }

  #among(kid: string | undefined): CryptoKey | undefined {
    if (kid === undefined) return this.#held.length === 1 ? this.#held[0]?.key : undefined;
    return this.#held.find((held) => held.kid === kid)?.key;
  }

  /** What cannot be fetched or read leaves the known keys as they are. */
  async #fetch(now: number): Promise<void> {
    try {
      const { url, fetch } = this.#options;
      const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS), redirect: 'manual' });
      if (response.status !== 200) return void (await response.body?.cancel());
      const text = await response.text();
      const { keys } = (text.length > BODY_MAX_CHARS ? {} : JSON.parse(text)) as { keys?: unknown };
      if (!Array.isArray(keys)) return;
      const held = await Promise.all(keys.filter(isSigningKey).map(imported));
      if (held.length > 0) [this.#held, this.#fetchedAt] = [held, now];
    } catch {
      // Away, or not a key set: said by `find`, once the known keys are too old.
    }
  }
}

function isSigningKey(value: unknown): value is Jwk {
  const { kty, alg, use, n, e } = (value ?? {}) as Jwk;
  const fits = (alg === undefined || alg === 'RS256') && (use === undefined || use === 'sig');
  return kty === 'RSA' && fits && typeof n === 'string' && typeof e === 'string';
}

async function imported({ kid, n, e }: Jwk): Promise<Held> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const jwk = { kty: 'RSA', n: n as string, e: e as string };
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
  return { kid: typeof kid === 'string' ? kid : undefined, key };
}
