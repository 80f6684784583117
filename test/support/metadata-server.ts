import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JWTPayload } from 'jose';
import type { Issuer } from './issuer.ts';

export interface MetadataServer {
  readonly url: string;
  /** The audiences that tokens were asked for. */
  readonly audiences: string[];
  /** It takes requests and answers none. */
  silent: boolean;
  close(): Promise<void>;
}

/** Google's metadata server, as far as ID tokens go: the identity path alone, and only with its header. */
export async function startMetadataServer(
  issuer: Issuer,
  claims: (audience: string) => JWTPayload,
): Promise<MetadataServer> {
  const audiences: string[] = [];
  const metadata = { url: '', audiences, silent: false };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://metadata');
    const audience = url.searchParams.get('audience');
    const identity = url.pathname === '/computeMetadata/v1/instance/service-accounts/default/identity';
    if (request.headers['metadata-flavor'] !== 'Google') return void response.writeHead(403).end();
    if (!identity || audience === null || url.searchParams.get('format') !== 'full')
      return void response.writeHead(404).end();
    if (metadata.silent) return;
    audiences.push(audience);
    response.writeHead(200, { 'content-type': 'text/html', 'metadata-flavor': 'Google' });
    response.end(await issuer.sign(claims(audience)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  metadata.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(metadata, { close });
}
