import {
  type Claims,
  type JwtPolicy,
  type Refusal,
  TOKEN_MAX_CHARS,
  TOLERANCE_SECONDS,
  type Verdict,
} from '../../shared/access/claims.ts';
import type { IssuerKeys } from './keys.ts';

/**
 * Verifies a JWS of RS256 over WebCrypto: signature first, then the claims, in the order jose takes them. The bridge does the same with
 * jose, which alone would take a fifth of the Worker's size limit; one table of tests and one property hold the two together.
 * Pinned to RS256, which shuts out `none` and HMAC under the public key (RFC 8725 §3.1); `jku`, `x5u` and `jwk` are never looked at.
 */
export async function verifyRs256(
  token: string,
  policy: JwtPolicy,
  keys: Pick<IssuerKeys, 'find'>,
  nowMs: number,
): Promise<Verdict<Claims>> {
  const [head = '', payload = '', signature = '', ...more] = token.split('.');
  const header = token.length > TOKEN_MAX_CHARS || more.length > 0 ? undefined : objectOf(head);
  if (header === undefined || typeof header.alg !== 'string') return refuse('malformed');
  if (header.alg !== 'RS256' || header.crit !== undefined) return refuse('algorithm-not-allowed');
  const key = await keys.find(typeof header.kid === 'string' ? header.kid : undefined, nowMs);
  if (typeof key === 'string') return refuse(key);
  const signed = new TextEncoder().encode(`${head}.${payload}`);
  const proof = bytesOf(signature);
  if (proof === undefined || !(await crypto.subtle.verify('RSASSA-PKCS1-v1_5', key, proof, signed)))
    return refuse('bad-signature');
  const claims = objectOf(payload);
  if (claims === undefined) return refuse('malformed');
  const reason = refusalOf(claims, policy, nowMs / 1000);
  return reason === undefined ? { ok: true, value: claims } : refuse(reason);
}

function refusalOf(claims: Claims, policy: JwtPolicy, now: number): Refusal | undefined {
  const { iss, aud, exp, iat, nbf } = claims;
  if ([iss, aud, exp, iat].includes(undefined)) return 'claim-missing';
  if (!policy.issuer.includes(iss as string)) return 'wrong-issuer';
  if (!(Array.isArray(aud) ? aud : [aud]).some((one) => policy.audience.includes(one))) return 'wrong-audience';
  if (typeof iat !== 'number') return 'malformed';
  if (nbf !== undefined && typeof nbf !== 'number') return 'malformed';
  if (typeof nbf === 'number' && nbf > now + TOLERANCE_SECONDS) return 'not-yet-valid';
  if (typeof exp !== 'number') return 'malformed';
  if (exp <= now - TOLERANCE_SECONDS) return 'expired';
  return iat > now + TOLERANCE_SECONDS ? 'not-yet-valid' : undefined;
}

/** A part of the token as the JSON object it must be. */
function objectOf(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(part)));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** base64url without padding (RFC 7515 §2). */
function bytesOf(part: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]+$/.test(part) || part.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

const refuse = (reason: Refusal): Verdict<Claims> => ({ ok: false, reason });
