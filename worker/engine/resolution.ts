import type { OriginFailure } from '../origin/origin.ts';
import type { CacheOutcome } from '../policy/cache-status.ts';
import type { NotStored } from '../policy/storability.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import type { SharedBody } from './shared-body.ts';

/** Why the origin's answer is not used: it gave none, or one that speaks for something else than the page. */
export type FetchFailure =
  | OriginFailure
  | 'gateway-error'
  | 'server-error'
  | 'access-login'
  | 'ledger-timeout'
  | 'rate-limited';

/** Let go of an answer nobody will read; what is being stored goes on. */
export async function discard(resolution: Resolution): Promise<void> {
  if (resolution.kind === 'stream') await resolution.leader.cancel();
  if (resolution.kind === 'own') await resolution.response.body?.cancel();
}

/** How a page that memory could not answer was resolved. Shared by everyone who waited for it. */
export type Resolution =
  /** A complete response that may be used now. */
  | { readonly kind: 'entry'; readonly entry: StoredResponse; readonly outcome: CacheOutcome }
  /** Being received: stored once complete. */
  | {
      readonly kind: 'stream';
      readonly meta: StoredMeta;
      readonly body: SharedBody;
      readonly outcome: CacheOutcome;
      /** The fetching request's own reader, attached before the first byte. */
      readonly leader: ReadableStream<Uint8Array>;
      /** The response once all of it is here, or undefined when the body ended badly or is too large. */
      readonly complete: Promise<StoredResponse | undefined>;
      /** Resolves when it is stored, and told to the ledger. */
      readonly finished: Promise<void>;
    }
  /** The answer is the fetching request's alone; who waited asks for itself. */
  | { readonly kind: 'own'; readonly response: Response; readonly reason: NotStored; readonly fwdStatus: number }
  | {
      readonly kind: 'failed';
      readonly failure: FetchFailure;
      readonly status?: number;
      readonly retryAfterMs: number;
    };
