import { LEDGER_TAG } from '../../shared/tags.ts';
import type { LedgerSnapshot } from '../policy/invalidation.ts';
import type { SharedSnapshot } from './view.ts';

/** The shared snapshot in the data centre's Cache API, next to the pages it judges. */
export function coloSnapshot(cache: Promise<Cache>, publicOrigin: string): SharedSnapshot {
  const url = `${publicOrigin}/.porchlight/ledger`;
  return {
    async get() {
      const response = await (await cache).match(url);
      return response === undefined
        ? undefined
        : ((await response.json()) as { snapshot: LedgerSnapshot; asOf: number });
    },
    async put(snapshot, asOf) {
      const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=60', 'cache-tag': LEDGER_TAG };
      await (await cache).put(url, new Response(JSON.stringify({ snapshot, asOf }), { headers }));
    },
  };
}
