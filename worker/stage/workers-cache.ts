import type { HeaderList } from '../policy/header-list.ts';
import type { Invalidation } from '../policy/invalidation.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import type { CacheStage } from './stage.ts';

/** The part of `ctx.cache` that is used (Cloudflare, Workers Cache: purge and invalidate). */
export interface PlatformCache {
  purge(what: PlatformPurge): Promise<PlatformAnswer>;
  invalidate(what: PlatformPurge): Promise<PlatformAnswer>;
}

interface PlatformAnswer {
  readonly success: boolean;
  readonly errors: readonly { readonly message: string }[];
}

export interface PlatformPurge {
  tags?: string[];
  pathPrefixes?: string[];
  purgeEverything?: boolean;
}

/** What an isolate of the platform's cache may keep without asking: it has no ledger, so its word ends soon. */
const YEAR = 31_536_000;

/** The path part of a cache key, `<route>:<path><?query>`. */
function pathOf(key: string): string {
  return key.slice(key.indexOf(':') + 1).replace(/[?#].*$/, '');
}

/**
 * Cloudflare's Workers Cache in front of this entrypoint: tiered and collapsed by the platform. It keeps what
 * `Cloudflare-CDN-Cache-Control` and `Cache-Tag` tell it to; `s-maxage` would switch off its stale uses, so it is
 * never sent, and whatever the ledger calls stale goes out as `no-store`.
 */
export class WorkersCacheStage implements CacheStage {
  readonly name = 'workers-cache';
  readonly #cache: PlatformCache | undefined;

  constructor(cache: PlatformCache | undefined) {
    this.#cache = cache;
  }

  peek(): StoredResponse | undefined {
    return undefined;
  }

  async get(): Promise<StoredResponse | undefined> {
    return undefined;
  }

  remember(): void {}

  async put(): Promise<void> {}

  async delete(): Promise<void> {}

  hasVariants(): boolean {
    return false;
  }

  fields(stored: StoredMeta | undefined, ttl: number): HeaderList {
    // `no-cache` asks for validation on every use, which only the code behind the platform's cache can do.
    if (stored === undefined || ttl < 1 || stored.lifetime.always)
      return [['cloudflare-cdn-cache-control', 'no-store']];
    const { lifetime } = stored;
    // The whole freshness lifetime, not what is left of it. The platform reads its fields by RFC 9111 (Cloudflare,
    // Workers Caching, configuration), and there freshness is lifetime minus current age (§4.2), which begins with the
    // `Age` and `Date` this answer carries (§4.2.3): `max-age` = what is left would count the age twice. Leaving `Age`
    // out instead would break §5.1, make browsers keep the page too long, and not help: `Date` tells the age as well.
    const directives = [`max-age=${Math.floor(lifetime.fresh)}`];
    if (lifetime.whileRevalidate > 0) directives.push(`stale-while-revalidate=${lifetime.whileRevalidate}`);
    if (lifetime.ifError > 0) directives.push(`stale-if-error=${Math.min(lifetime.ifError, YEAR)}`);
    if (lifetime.noStale) directives.push('must-revalidate');
    const fields: [string, string][] = [['cloudflare-cdn-cache-control', directives.join(', ')]];
    if (stored.tags.length > 0) fields.push(['cache-tag', stored.tags.join(',')]);
    return fields;
  }

  async purge(entries: readonly Invalidation[]): Promise<void> {
    if (this.#cache === undefined) return;
    for (const mode of ['invalidate', 'delete'] as const) {
      for (const what of platformPurges(entries.filter((entry) => entry.mode === mode))) {
        accepted(await (mode === 'invalidate' ? this.#cache.invalidate(what) : this.#cache.purge(what)));
      }
    }
  }
}

/** The platform refuses by value (its purge limits, say). @throws Error, so that nothing is acknowledged. */
function accepted(result: PlatformAnswer): void {
  if (result.success) return;
  const reasons = result.errors.map(({ message }) => message).join('; ');
  throw new Error(`Workers Cache refused the purge: ${reasons || 'no reason given'}`);
}

/** One kind a call: nothing documented says whether several kinds in one mean all of them or any. */
function platformPurges(entries: readonly Invalidation[]): readonly PlatformPurge[] {
  if (entries.some(({ kind }) => kind === 'everything')) return [{ purgeEverything: true }];
  const tags = entries.filter(({ kind }) => kind === 'tag').map(({ value }) => value);
  // A URL is purged as a path prefix: the platform has no purge by key, and too much revalidated is only work.
  const pathPrefixes = entries.filter(({ kind }) => kind !== 'tag').map(({ value }) => pathOf(value));
  return [...(tags.length > 0 ? [{ tags }] : []), ...(pathPrefixes.length > 0 ? [{ pathPrefixes }] : [])];
}
