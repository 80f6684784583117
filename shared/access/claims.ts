/** Claims after the signature, issuer, audience and times were verified. */
export type Claims = Readonly<Record<string, unknown>>;

/** What a token must say; pinned by configuration, never taken from the token. */
export interface JwtPolicy {
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
}

/** Seconds a clock may be off. */
export const TOLERANCE_SECONDS = 30;
export const TOKEN_MAX_CHARS = 8192;

export type Refusal =
  | 'missing-credential'
  | 'malformed'
  | 'unknown-token'
  | 'algorithm-not-allowed'
  | 'unknown-key'
  | 'bad-signature'
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'claim-missing'
  | 'email-not-verified'
  | 'not-on-allow-list'
  | 'keys-unavailable'
  | 'caller-not-taken-here';

export type Verdict<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Refusal };

/**
 * Google ID tokens: anyone with a Google account can obtain one for any audience that lets them, so a valid signature proves
 * nothing by itself. The account must be on the list, by verified email or by its stable `sub`.
 * (developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload)
 */
export function judgeGoogle(claims: Claims, allowed: readonly string[]): Verdict<string> {
  const { sub, email } = claims;
  if (typeof sub !== 'string' || sub === '') return { ok: false, reason: 'claim-missing' };
  if (allowed.includes(sub)) return { ok: true, value: sub };
  if (typeof email !== 'string') return { ok: false, reason: 'not-on-allow-list' };
  if (claims.email_verified !== true) return { ok: false, reason: 'email-not-verified' };
  const mail = email.toLowerCase();
  if (!allowed.some((entry) => entry.toLowerCase() === mail)) return { ok: false, reason: 'not-on-allow-list' };
  return { ok: true, value: mail };
}

/**
 * Cloudflare Access application tokens: a person carries `email`, a service token carries `common_name` (its client id) and an
 * empty `sub`. The Access policy in front has decided who may; an allow-list here may narrow it further (empty: as Access says).
 * (developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/application-token/)
 */
export function judgeAccess(claims: Claims, allowed: readonly string[]): Verdict<string> {
  const type = claims.type;
  if (type !== undefined && type !== 'app') return { ok: false, reason: 'claim-missing' };
  const name = [claims.common_name, claims.email].find((value) => typeof value === 'string' && value !== '');
  if (typeof name !== 'string') return { ok: false, reason: 'claim-missing' };
  if (allowed.length > 0 && !allowed.some((entry) => entry.toLowerCase() === name.toLowerCase())) {
    return { ok: false, reason: 'not-on-allow-list' };
  }
  return { ok: true, value: name };
}
