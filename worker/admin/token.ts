import type { EdgeToken } from '../config.ts';

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** Equal length by construction (both are digests), every byte looked at. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/**
 * The name of the token in `Authorization: Bearer ...`, or undefined. Hashes are compared, in constant time, against
 * every accepted token, so that neither length nor order nor the number of tokens shows in the time it takes.
 */
export async function bearer(authorization: string | null, tokens: readonly EdgeToken[]): Promise<string | undefined> {
  const given = await digest(/^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1] ?? '');
  let found: string | undefined;
  for (const { name, token } of tokens) if (equal(given, await digest(token))) found = name;
  return found;
}
