import { deltaSeconds, parseCacheControl } from './cache-control.ts';
import { field, type HeaderList, listMembers } from './header-list.ts';
import { type BareItem, parseDictionary } from './structured-dictionary.ts';

/** What the origin said about caching, after choosing the field that counts for this cache. Times in seconds. */
export interface ResponseDirectives {
  readonly source: 'cloudflare-cdn-cache-control' | 'cdn-cache-control' | 'cache-control' | 'none';
  readonly maxAge?: number;
  readonly sMaxage?: number;
  readonly staleWhileRevalidate?: number;
  readonly staleIfError?: number;
  readonly noStore: boolean;
  /** true for the whole response, or the field names it is limited to (RFC 9111 §5.2.2.4). */
  readonly noCache: boolean | readonly string[];
  readonly private: boolean | readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
}

/** Targeted fields this cache obeys, most specific first (RFC 9213 §2.2; the first is Cloudflare's own). */
const TARGETED = ['cloudflare-cdn-cache-control', 'cdn-cache-control'] as const;

type Raw = ReadonlyMap<string, string | true>;

function fromItem(item: BareItem): string | true | undefined {
  if (item.type === 'boolean') return item.value ? true : undefined;
  // RFC 9213 §2.1: a value of another type than the directive defines is ignored; delta-seconds are Integers.
  if (item.type === 'integer') return String(item.value);
  return item.type === 'token' ? item.value : undefined;
}

function targeted(headers: HeaderList): { source: (typeof TARGETED)[number]; raw: Raw } | undefined {
  for (const source of TARGETED) {
    const value = field(headers, source);
    const dictionary = value === undefined ? undefined : parseDictionary(value);
    if (!dictionary || dictionary.size === 0) continue;
    const raw = new Map<string, string | true>();
    for (const [name, item] of dictionary) {
      const directive = fromItem(item);
      if (directive !== undefined) raw.set(name, directive);
    }
    return { source, raw };
  }
  return undefined;
}

/** Seconds, or 0 where the directive is present but invalid: invalid freshness is stale freshness (RFC 9111 §4.2.1). */
function seconds(raw: Raw, name: string): number | undefined {
  return raw.has(name) ? (deltaSeconds(raw.get(name)) ?? 0) : undefined;
}

function qualified(raw: Raw, name: string): boolean | readonly string[] {
  const value = raw.get(name);
  if (value === undefined) return false;
  if (value === true) return true;
  return listMembers(value.toLowerCase());
}

/** Read a response's directives: the first valid targeted field replaces `Cache-Control` and `Expires` (RFC 9213 §2.2). */
export function responseDirectives(headers: HeaderList): ResponseDirectives {
  const target = targeted(headers);
  const cacheControl = field(headers, 'cache-control');
  const raw = target?.raw ?? parseCacheControl(cacheControl);
  const optional = {
    maxAge: seconds(raw, 'max-age'),
    sMaxage: seconds(raw, 's-maxage'),
    staleWhileRevalidate: seconds(raw, 'stale-while-revalidate'),
    staleIfError: seconds(raw, 'stale-if-error'),
  };
  return {
    source: target?.source ?? (cacheControl === undefined ? 'none' : 'cache-control'),
    ...(optional.maxAge === undefined ? {} : { maxAge: optional.maxAge }),
    ...(optional.sMaxage === undefined ? {} : { sMaxage: optional.sMaxage }),
    ...(optional.staleWhileRevalidate === undefined ? {} : { staleWhileRevalidate: optional.staleWhileRevalidate }),
    ...(optional.staleIfError === undefined ? {} : { staleIfError: optional.staleIfError }),
    noStore: raw.has('no-store'),
    noCache: qualified(raw, 'no-cache'),
    private: qualified(raw, 'private'),
    public: raw.has('public'),
    mustRevalidate: raw.has('must-revalidate'),
    proxyRevalidate: raw.has('proxy-revalidate'),
    mustUnderstand: raw.has('must-understand'),
  };
}

/** Fields named by a qualified `no-cache` or `private`: they are not stored, the rest of the response is. */
export function unstorableFields(directives: ResponseDirectives): readonly string[] {
  const named: string[] = [];
  if (Array.isArray(directives.noCache)) named.push(...directives.noCache);
  if (Array.isArray(directives.private)) named.push(...directives.private);
  return named;
}
