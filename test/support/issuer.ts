import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface Issuer {
  readonly url: string;
  readonly jwksUrl: string;
  /** How often its keys were fetched. */
  fetches: number;
  /** A token as the issuer signs it. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  /** The same by somebody who is not the issuer, under the issuer's key id. */
  forge(claims: JWTPayload): Promise<string>;
  /** Signed with HMAC, the issuer's public key as the secret: the algorithm confusion. */
  confuse(claims: JWTPayload): Promise<string>;
  /** Without a signature. */
  unsigned(claims: JWTPayload): string;
  close(): Promise<void>;
}

/** An OIDC issuer with its key set on loopback. */
export async function startIssuer(path = '/certs'): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const stranger = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
  const issuer = { fetches: 0 };
  const server = createServer((_request, response) => {
    issuer.fetches++;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const header = { alg: 'RS256', kid: 'key-1', typ: 'JWT' };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return Object.assign(issuer, {
    url,
    jwksUrl: `${url}${path}`,
    sign: (claims: JWTPayload, more: Record<string, unknown> = {}) =>
      new SignJWT(claims).setProtectedHeader({ ...header, ...more }).sign(privateKey),
    forge: (claims: JWTPayload) => new SignJWT(claims).setProtectedHeader(header).sign(stranger.privateKey),
    confuse: (claims: JWTPayload) =>
      new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(new TextEncoder().encode(JSON.stringify(jwk))),
    unsigned: (claims: JWTPayload) => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  });
}
