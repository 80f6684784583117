import type { Upstream } from '../../shared/site.ts';
import { CONNECTION_FIELDS, type HeaderList, listMembers } from './header-list.ts';

/** Hop-by-hop fields (RFC 9110 §7.6.1) and those a proxy answers for itself. */
const HOP_BY_HOP = new Set([...CONNECTION_FIELDS, 'host', 'expect']);

/** Who the client claims to be and what it claims to have asked: never believed, always written anew. */
const CLAIMS =
  /^(x-forwarded-.*|forwarded|x-real-ip|x-client-ip|true-client-ip|x-original-(url|host)|x-rewrite-url|x-host|x-http-.*|x-method-override|x-middleware-.*|cf-.*|cdn-loop|via)$/;

/** Fields that make a request conditional or partial; a fill asks for the whole, with its own validators. */
const CONDITIONAL = new Set([
  'if-none-match',
  'if-modified-since',
  'if-range',
  'range',
  'if-match',
  'if-unmodified-since',
]);

/** This cache in `Via` (RFC 9110 §7.6.3) and `CDN-Loop` (RFC 8586). */
export const CDN_ID = 'porchlight';

export interface ClientFacts {
  readonly address: string | undefined;
  /** The client's own where it sent a plausible one. */
  readonly requestId: string;
  /** Never the client's. */
  readonly ownRequestId: string;
  readonly cdnLoop: string | null;
}

function proxyFields(upstream: Upstream, requestId: string, cdnLoop: string): HeaderList {
  const [proto = 'https', host = ''] = upstream.publicOrigin.split('://');
  return [
    ['x-forwarded-host', host.replace(/\/$/, '')],
    ['x-forwarded-proto', proto],
    ['via', `1.1 ${CDN_ID}`],
    ['cdn-loop', cdnLoop],
    ['x-request-id', requestId],
  ];
}

function endToEnd(headers: HeaderList): HeaderList {
  const named = new Set(listMembers(headers.find(([name]) => name === 'connection')?.[1].toLowerCase()));
  return headers.filter(([name]) => !HOP_BY_HOP.has(name) && !named.has(name) && !CLAIMS.test(name));
}

/** A request that is passed through keeps its fields; only hops and claims are replaced. */
export function forwardPassed(headers: HeaderList, upstream: Upstream, client: ClientFacts): HeaderList {
  const address: HeaderList = client.address === undefined ? [] : [['x-forwarded-for', client.address]];
  const cdnLoop = client.cdnLoop === null ? CDN_ID : `${client.cdnLoop}, ${CDN_ID}`;
  return [...endToEnd(headers), ...address, ...proxyFields(upstream, client.requestId, cdnLoop)];
}

/** What shapes a storable response with `keyed` forwarding: the keyed fields and constants, nothing else of the client. */
export function forwardKeyed(keyed: readonly (readonly [string, string | null])[]): HeaderList {
  const fields: [string, string][] = [
    ['accept', '*/*'],
    ['accept-encoding', 'gzip'],
  ];
  for (const [name, value] of keyed) if (value !== null) fields.push([name, value]);
  return fields;
}

/** With `all` forwarding: every end-to-end field but the reader's own conditions; variance is left to `Vary`. */
export function forwardAll(headers: HeaderList): HeaderList {
  return endToEnd(headers).filter(([name]) => !CONDITIONAL.has(name));
}

/**
 * The fields added to any fill: constants and this proxy's own. Neither the client's address nor a request id or loop
 * marker it sent is among them: they are not keyed, and an origin that echoes one would show it to everyone.
 */
export function fillFields(upstream: Upstream, client: ClientFacts): HeaderList {
  return proxyFields(upstream, client.ownRequestId, CDN_ID);
}

/** Has this request passed this cache before (RFC 8586)? */
export function isLoop(cdnLoop: string | null): boolean {
  return cdnLoop !== null && listMembers(cdnLoop).some((member) => member.split(';', 1)[0]?.trim() === CDN_ID);
}

/** Fields of an origin response that do not go to a reader. */
export function answerFields(headers: HeaderList): HeaderList {
  const named = new Set(listMembers(headers.find(([name]) => name === 'connection')?.[1].toLowerCase()));
  return headers.filter(
    ([name]) =>
      !HOP_BY_HOP.has(name) &&
      !named.has(name) &&
      name !== 'cloudflare-cdn-cache-control' &&
      name !== 'surrogate-control',
  );
}
