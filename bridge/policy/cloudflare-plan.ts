import { LEDGER_TAG } from '../../shared/tags.ts';
import type { PurgeCall } from './purge-plan.ts';

/** One request body of `POST /zones/{id}/purge_cache`. */
export type ZonePurge =
  | { readonly purge_everything: true }
  | { readonly tags: readonly string[] }
  | { readonly prefixes: readonly string[] }
  | { readonly files: readonly string[] };

/** developers.cloudflare.com/cache/how-to/purge-cache/#limits: operations in one request, all plans below Enterprise. */
const OPERATIONS_MAX = 100;

/**
 * Cloudflare takes one kind of selector a request and at most 100 of them. Its prefixes are host and path without scheme, so each
 * path prefix becomes one for every public host.
 * Both modes purge: the copy for an outage lies in the archive, and `invalidate_cache` is not documented to reach Cache API entries.
 */
export function planZonePurges(call: PurgeCall, hosts: readonly string[]): ZonePurge[] {
  if (call.everything) return [{ purge_everything: true }];
  const prefixes = call.prefixes.flatMap((prefix) => hosts.map((host) => `${host}${prefix}`));
  return [
    // The shared ledger snapshots go with the pages, so that every data centre asks the ledger again at once.
    ...chunks([LEDGER_TAG, ...call.tags]).map((tags) => ({ tags })),
    ...chunks(prefixes).map((part) => ({ prefixes: part })),
    ...chunks(call.urls).map((files) => ({ files })),
  ];
}

function chunks(items: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < items.length; start += OPERATIONS_MAX)
    parts.push(items.slice(start, start + OPERATIONS_MAX));
  return parts;
}
