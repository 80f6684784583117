/** The part of fetch that is used. */
export type IdentityFetch = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

export interface IdentityOptions {
  /** The bridge's `OIDC_AUDIENCE`, to the letter. */
  readonly audience: string;
  readonly fetch: IdentityFetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where the metadata server is; Google's by default. */
  readonly metadataUrl?: string;
}

const METADATA_URL = 'http://metadata.google.internal';
const PATH = '/computeMetadata/v1/instance/service-accounts/default/identity';
/** The server hands out one token for most of an hour; a new one is asked for this long before it ends. */
const RENEW_MS = 5 * 60_000;

/**
 * Google-signed ID tokens of the function's own service account, from the metadata server; no key file exists anywhere.
 * `format=full` puts the account's verified email into the token, which the bridge's allow-list goes by.
 * (cloud.google.com/run/docs/securing/service-identity#fetching_identity_and_access_tokens_using_the_metadata_server)
 */
export function metadataIdentity(options: IdentityOptions): () => Promise<string> {
  const url = `${options.metadataUrl ?? METADATA_URL}${PATH}?audience=${encodeURIComponent(options.audience)}&format=full`;
  let kept: { token: string; untilMs: number } | null = null;
  return async () => {
    if (kept !== null && options.now() < kept.untilMs) return kept.token;
    const signal = AbortSignal.timeout(3000);
    const response = await options.fetch(url, { headers: { 'metadata-flavor': 'Google' }, signal });
    const token = (await response.text()).trim();
    if (response.status !== 200) throw new Error(`the metadata server answered ${response.status} for an ID token`);
    kept = { token, untilMs: expiryMs(token) - RENEW_MS };
    return token;
  };
}

/** From the token's own `exp`; the bridge verifies it, here it only says how long to keep it. */
function expiryMs(token: string): number {
  const [, payload = ''] = token.split('.');
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const { exp } = claims as { exp?: unknown };
  return typeof exp === 'number' ? exp * 1000 : 0;
}
