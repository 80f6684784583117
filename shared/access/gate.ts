import type { CallerKind } from '../contract/access.ts';
import { bearerOf, type Digest, matchToken, type NamedDigest } from './bearer.ts';
import { type Claims, judgeAccess, judgeGoogle, type Refusal, type Verdict } from './claims.ts';

export interface Caller {
  readonly kind: CallerKind;
  /** Token name, email, `sub` or service token id: fit for a log line. */
  readonly name: string;
}

/** One trusted issuer. */
export interface Issuer {
  /** Signature, algorithm, issuer, audience and times of a token; with jose at the bridge, with less weight at the edge. */
  readonly verify: (token: string, nowMs: number) => Promise<Verdict<Claims>>;
  /** Who of the issuer's subjects may call. */
  readonly allowed: readonly string[];
}

export interface Gate {
  readonly tokens: readonly NamedDigest[];
  readonly google: Issuer | null;
  readonly access: Issuer | null;
  readonly subtle: Digest;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The headers of a request: `Headers` fits. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** Headers that the edge, the tunnel or a proxy adds; a request without any of them came from inside. */
const FORWARDING = ['cf-connecting-ip', 'cf-ray', 'x-forwarded-for', 'x-forwarded-host', 'forwarded', 'cdn-loop'];

/**
 * Who calls, of the kinds a route takes; else why not. A credential that was sent must hold, also where a caller from inside needs
 * none, so that a misconfigured caller hears of it; only routes open to anyone overlook it.
 */
export async function identify(
  headers: HeaderReader,
  takes: readonly CallerKind[],
  gate: Gate,
): Promise<Verdict<Caller>> {
  const presented = await presentedCaller(headers, gate);
  if (presented?.ok === false) return takes.includes('anyone') ? anyone : presented;
  if (presented && takes.includes(presented.value.kind)) return presented;
  if (takes.includes('anyone')) return anyone;
  if (presented) return { ok: false, reason: 'caller-not-taken-here' };
  if (takes.includes('direct') && isFromInside(headers)) return direct;
  return { ok: false, reason: 'missing-credential' };
}

/** Names by which nobody outside can be made to call: a public name that resolves to an inside address is a rebinding attack. */
const INSIDE = /^(?:localhost|[\w-]+|[\w.-]+\.(?:localhost|svc|local)|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(?::\d+)?$/i;

function isFromInside(headers: HeaderReader): boolean {
  return INSIDE.test(headers.get('host') ?? 'localhost') && FORWARDING.every((name) => headers.get(name) === null);
}

const anyone: Verdict<Caller> = { ok: true, value: { kind: 'anyone', name: 'anyone' } };
const direct: Verdict<Caller> = { ok: true, value: { kind: 'direct', name: 'direct' } };

/** Carries the caller's own Access token from the edge to the bridge. */
export const CALLER_ASSERTION = 'porchlight-access-assertion';
/** The edge in `CDN-Loop` (RFC 8586), which it writes anew for every request. */
const EDGE = /(?:^|,)\s*porchlight\s*(?:[;,]|$)/;

async function presentedCaller(headers: HeaderReader, gate: Gate): Promise<Verdict<Caller> | null> {
  const authorization = headers.get('authorization');
  if (authorization !== null) {
    const bearer = bearerOf(authorization);
    if (bearer === null) return { ok: false, reason: 'malformed' };
    return isJwt(bearer) ? googleCaller(bearer, gate) : tokenCaller(bearer, gate);
  }
  // The edge opens the tunnel with its own service token for every reader alike: that one says nothing of who asks. What the caller
  // itself presented the edge passes on under another name; it is a signed token, so it proves the same whoever sends it.
  const viaEdge = EDGE.test(headers.get('cdn-loop') ?? '');
  const assertion = headers.get(viaEdge ? CALLER_ASSERTION : 'cf-access-jwt-assertion');
  return assertion === null ? null : accessCaller(assertion, gate);
}

async function tokenCaller(bearer: string, gate: Gate): Promise<Verdict<Caller>> {
  const name = await matchToken(bearer, gate.tokens, gate.subtle);
  return name === null ? refuse('unknown-token') : { ok: true, value: { kind: 'token', name } };
}

async function googleCaller(token: string, gate: Gate): Promise<Verdict<Caller>> {
  if (gate.google === null) return tokenCaller(token, gate);
  const verified = await gate.google.verify(token, gate.now());
  if (!verified.ok) return verified;
  const judged = judgeGoogle(verified.value, gate.google.allowed);
  return judged.ok ? { ok: true, value: { kind: 'google', name: judged.value } } : judged;
}

async function accessCaller(token: string, gate: Gate): Promise<Verdict<Caller>> {
  if (gate.access === null) return refuse('unknown-token');
  const verified = await gate.access.verify(token, gate.now());
  if (!verified.ok) return verified;
  const judged = judgeAccess(verified.value, gate.access.allowed);
  return judged.ok ? { ok: true, value: { kind: 'access', name: judged.value } } : judged;
}

const isJwt = (bearer: string) => /^[\w-]+\.[\w-]*\.[\w-]*$/.test(bearer);
const refuse = (reason: Refusal): Verdict<Caller> => ({ ok: false, reason });
