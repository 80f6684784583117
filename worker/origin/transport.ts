import type { Upstream } from '../../shared/site.ts';
import type { HeaderList } from '../policy/header-list.ts';
import { isAccessCredential, isInvalidStatus } from '../policy/impostor.ts';

export interface OriginRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: HeaderList;
  readonly body?: ReadableStream | null;
  /** A WebSocket handshake: `Upgrade` is sent, whatever the rules of hops say. */
  readonly websocket?: boolean;
}

/** One way to reach an upstream. Rejects when it cannot be reached; any status is an answer. */
export interface Transport {
  readonly name: 'vpc' | 'tunnel' | 'direct';
  send(request: OriginRequest, signal: AbortSignal): Promise<Response>;
}

/** Credentials of a Cloudflare Access service token. */
export interface AccessToken {
  readonly id: string;
  readonly secret: string;
}

type Send = (input: string, init: RequestInit) => Promise<Response>;

/** Content of a GET or HEAD has no meaning (RFC 9110 §9.3.1), and the runtime refuses to send any. */
const WITHOUT_CONTENT = new Set(['GET', 'HEAD']);

function init(request: OriginRequest, extra: HeaderList, signal: AbortSignal): RequestInit {
  const headers = new Headers();
  for (const [name, value] of [...request.headers, ...extra]) headers.append(name, value);
  const body = WITHOUT_CONTENT.has(request.method) ? null : (request.body ?? null);
  if (body === null) headers.delete('content-length');
  if (request.websocket === true) headers.set('upgrade', 'websocket');
  // Redirects are the reader's to follow: one followed here would be stored under the wrong URL.
  return { method: request.method, headers, body, redirect: 'manual', signal };
}

/** The answer without the credentials Access gave the edge: whoever had them could walk past it. */
function withoutCredentials(response: Response): Response {
  const cookies = response.headers.getSetCookie();
  // One whose status no response can be built with is refused as it is.
  if (!cookies.some(isAccessCredential) || isInvalidStatus(response.status)) return response;
  const headers = new Headers(response.headers);
  headers.delete('set-cookie');
  for (const cookie of cookies) if (!isAccessCredential(cookie)) headers.append('set-cookie', cookie);
  const { status, statusText, webSocket } = response;
  return new Response(response.body, { status, statusText, headers, ...(webSocket ? { webSocket } : {}) });
}

/** Over the public hostname of the tunnel with an Access service token, or straight to an address on this machine. */
export function httpTransport(upstream: Upstream, token: AccessToken | undefined, send: Send): Transport {
  const extra: HeaderList =
    upstream.access === true && token
      ? [
          ['cf-access-client-id', token.id],
          ['cf-access-client-secret', token.secret],
        ]
      : [];
  const base = upstream.url.replace(/\/$/, '');
  return {
    name: upstream.access === true ? 'tunnel' : 'direct',
    send: async (request, signal) => {
      // The name of the tunnel is proxied by Cloudflare, and its own cache must not answer in the origin's place: after a purge
      // it would confirm the old page by a 304.
      const response = await send(base + request.target, { ...init(request, extra, signal), cache: 'no-store' });
      return upstream.access === true ? withoutCredentials(response) : response;
    },
  };
}

/** Over a Workers VPC service binding: target and port are the service's, the URL only names the host. */
export function vpcTransport(upstream: Upstream, service: { fetch: Send }): Transport {
  const base = upstream.publicOrigin.replace(/\/$/, '').replace(/^https:/, 'http:');
  return { name: 'vpc', send: (request, signal) => service.fetch(base + request.target, init(request, [], signal)) };
}
