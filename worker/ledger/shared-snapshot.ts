import { LEDGER_TAG } from '../../shared/tags.ts';
import type { LedgerSnapshot } from '../policy/invalidation.ts';
import type { SharedSnapshot } from './view.ts';

/** What a snapshot says of itself outside its body: which one it is, and when it was known to be the newest. */
const VERSION = 'x-version';
const AS_OF = 'x-as-of';

const versionOf = ({ seq, floor }: LedgerSnapshot): string => `${seq}.${floor}`;

/**
 * The shared snapshot in the data centre's Cache API, next to the pages it judges. It is looked at several times a second
 * and rarely new: its text, up to a megabyte, is read and written out once for each snapshot.
 */
export function coloSnapshot(cache: Promise<Cache>, publicOrigin: string): SharedSnapshot {
  const url = `${publicOrigin}/.porchlight/ledger`;
  let last: { readonly snapshot: LedgerSnapshot; readonly version: string; text?: string } | undefined;
  return {
    async get() {
      const response = await (await cache).match(url);
      if (response === undefined) return undefined;
      const version = response.headers.get(VERSION) ?? '';
      const asOf = Number(response.headers.get(AS_OF));
      if (last?.version === version) {
        await response.body?.cancel();
        return { snapshot: last.snapshot, asOf };
      }
      last = { snapshot: (await response.json()) as LedgerSnapshot, version };
      return { snapshot: last.snapshot, asOf };
    },
    async put(snapshot, asOf) {
      if (last?.snapshot !== snapshot) last = { snapshot, version: versionOf(snapshot) };
      last.text ??= JSON.stringify(snapshot);
      const headers = {
        'content-type': 'application/json',
        'cache-control': 'max-age=60',
        'cache-tag': LEDGER_TAG,
        [VERSION]: last.version,
        [AS_OF]: String(asOf),
      };
      await (await cache).put(url, new Response(last.text, { headers }));
    },
  };
}
