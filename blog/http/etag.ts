import { createHash } from 'node:crypto';

/** A strong validator (RFC 9110 §8.8.1): equal exactly when the bytes are. Quotes included. */
export function strongEtag(body: Uint8Array): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}
