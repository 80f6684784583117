import { hash } from 'node:crypto';
import { type Digest, digestTokens } from '../shared/access/bearer.ts';
import type { Gate, Issuer } from '../shared/access/gate.ts';
import { remoteKeys, verifyJwt } from '../shared/access/jwt.ts';
import type { BridgeConfig, IssuerConfig } from './config.ts';

/** WebCrypto's would have another thread do what takes a microsecond. */
const subtle: Digest = {
  digest: async (_algorithm, data) => Uint8Array.from(hash('sha256', data, 'buffer')).buffer,
};

/** Who is let in, from the configuration; the secrets themselves are not kept. */
export async function createGate(config: BridgeConfig, now: () => number): Promise<Gate> {
  return {
    tokens: await digestTokens(config.tokens, subtle),
    google: config.google && issuerOf(config.google),
    access: config.access && issuerOf(config.access),
    subtle,
    now,
  };
}

function issuerOf({ issuer, audience, jwksUrl, allowed }: IssuerConfig): Issuer {
  const keys = remoteKeys(jwksUrl);
  return { verify: (token, nowMs) => verifyJwt(token, { issuer, audience }, keys, nowMs), allowed };
}
