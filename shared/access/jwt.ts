import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
  type Claims,
  type JwtPolicy,
  type Refusal,
  TOKEN_MAX_CHARS,
  TOLERANCE_SECONDS,
  type Verdict,
} from './claims.ts';

/** RFC 7515 §7.1 with the base64url of §2: no padding and no white space, which decoders of base64 forgive and jose with them. */
const COMPACT = /^[\w-]*\.[\w-]*\.[\w-]*$/;

/**
 * Verifies signature, algorithm, issuer, audience and times. RS256 only: it is what Google and Cloudflare sign with, and pinning it
 * shuts out `none` and the HMAC-with-a-public-key confusion (RFC 8725 section 3.1).
 */
export async function verifyJwt(
  token: string,
  policy: JwtPolicy,
  keys: JWTVerifyGetKey,
  nowMs: number,
): Promise<Verdict<Claims>> {
  if (token.length > TOKEN_MAX_CHARS || !COMPACT.test(token)) return { ok: false, reason: 'malformed' };
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer: [...policy.issuer],
      audience: [...policy.audience],
      requiredClaims: ['iss', 'aud', 'exp', 'iat'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    });
    // jose checks `iat` only together with a maximum age; a token from the future is as wrong as one from the past.
    if ((payload.iat ?? 0) * 1000 > nowMs + TOLERANCE_SECONDS * 1000) return { ok: false, reason: 'not-yet-valid' };
    return { ok: true, value: payload };
  } catch (error) {
    return { ok: false, reason: refusalOf(error) };
  }
}

/**
 * The issuer's published keys, fetched once and again when a token names an unknown key id, at most every 30 s. The address comes
 * from the configuration; `jku` and `x5u` in a token are never followed. Create once per process.
 */
export function remoteKeys(url: Parameters<typeof createRemoteJWKSet>[0]): JWTVerifyGetKey {
  return createRemoteJWKSet(url, { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 });
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error);
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'algorithm-not-allowed';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'unknown-key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  return 'keys-unavailable';
}

function claimRefusal(error: errors.JWTClaimValidationFailed): Refusal {
  if (error.reason === 'missing') return 'claim-missing';
  if (error.claim === 'iss') return 'wrong-issuer';
  if (error.claim === 'aud') return 'wrong-audience';
  if (error.claim === 'nbf' || error.claim === 'iat') return 'not-yet-valid';
  return 'malformed';
}
