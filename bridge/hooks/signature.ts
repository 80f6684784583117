import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Flux's generic-hmac provider signs the raw body: `X-Signature: sha256=<hex>` (fluxcd.io/flux/components/notification/providers).
 * Compared in constant time.
 */
export function signatureHolds(header: string | null, body: Uint8Array, key: string): boolean {
  const given = /^sha256=([0-9a-f]{64})$/.exec(header ?? '')?.[1];
  if (given === undefined) return false;
  return timingSafeEqual(Buffer.from(given, 'hex'), createHmac('sha256', key).update(body).digest());
}

/** Flux gives up after four retries within 15 s; what is older was kept by somebody. */
const EVENT_AGE_MAX_MS = 10 * 60_000;
/** Clocks of one cluster differ by less. */
const EVENT_AHEAD_MAX_MS = 60_000;

/** Whether the event's own time, which the signature covers, is near enough. An event that names none is not Flux's. */
export function isRecent(timestamp: unknown, nowMs: number): boolean {
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return at >= nowMs - EVENT_AGE_MAX_MS && at <= nowMs + EVENT_AHEAD_MAX_MS;
}

const REMEMBERED_MAX = 10_000;

/** Remembers signatures for as long as an event is recent, so that each is taken once; bounded, the oldest go first. */
export class SeenOnce {
  readonly #seen = new Map<string, number>();

  /** True the first time. */
  add(signature: string, nowMs: number): boolean {
    for (const [known, at] of this.#seen) {
      if (at >= nowMs - EVENT_AGE_MAX_MS - EVENT_AHEAD_MAX_MS && this.#seen.size < REMEMBERED_MAX) break;
      this.#seen.delete(known);
    }
    if (this.#seen.has(signature)) return false;
    this.#seen.set(signature, nowMs);
    return true;
  }
}
