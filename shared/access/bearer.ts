/** The one WebCrypto call bearer tokens need; `crypto.subtle` of every runtime fits. */
export interface Digest {
  digest(algorithm: 'SHA-256', data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

/** A configured token: who it is and the SHA-256 of its secret. The secret itself is not kept. */
export interface NamedDigest {
  readonly name: string;
  readonly digest: Uint8Array;
}

/** Hashes `name -> secret` once, at start. Several names may stand side by side, so that a token can be rotated without a gap. */
export async function digestTokens(
  tokens: readonly { readonly name: string; readonly secret: string }[],
  subtle: Digest,
): Promise<NamedDigest[]> {
  return Promise.all(tokens.map(async ({ name, secret }) => ({ name, digest: await sha256(secret, subtle) })));
}

/**
 * The name of the token presented, or null. Digests of equal length are compared in full against every configured token,
 * so that neither length nor a common beginning, nor which token matched, shows in the time taken.
 */
export async function matchToken(
  presented: string,
  tokens: readonly NamedDigest[],
  subtle: Digest,
): Promise<string | null> {
  const digest = await sha256(presented, subtle);
  let found: string | null = null;
  for (const token of tokens) if (equalBytes(token.digest, digest)) found = token.name;
  return found;
}

/** RFC 6750 section 2.1: `Authorization: Bearer <b64token>`; the scheme is case-insensitive (RFC 9110 section 11.1). */
export function bearerOf(authorization: string | null): string | null {
  const match = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization ?? '');
  return match?.[1] ?? null;
}

async function sha256(text: string, subtle: Digest): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest('SHA-256', utf8(text)));
}

/** Tokens are ASCII by `bearerOf`; configured ones are checked for it when the configuration is read. */
function utf8(text: string): Uint8Array<ArrayBuffer> {
  const encoded = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(encoded, (character) => character.charCodeAt(0));
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
