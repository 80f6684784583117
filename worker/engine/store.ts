import { field, type HeaderList } from '../policy/header-list.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import type { ReadField } from '../policy/vary.ts';
import { messageOf } from '../report.ts';
import type { EngineDeps } from './deps.ts';

/** Statuses worth keeping for an outage. An error is remembered near the reader for its freshness, never archived. */
const ARCHIVED = new Set([200, 203, 204, 300, 301, 308, 410]);

/** A change in one of these makes an archive write worth its price; `Date` and its like do not. */
const ARCHIVE_RELEVANT = [
  'content-type',
  'cache-control',
  'cdn-cache-control',
  'etag',
  'location',
  'link',
  'content-language',
  'content-security-policy',
  'vary',
];

const relevant = (headers: HeaderList): string =>
  JSON.stringify(ARCHIVE_RELEVANT.map((name) => field(headers, name) ?? null));

/** Is the archive's copy as good as this one? */
export function sameInArchive(known: StoredMeta | undefined, entry: StoredMeta): boolean {
  return (
    known?.archived === true &&
    known.bodyHash === entry.bodyHash &&
    known.status === entry.status &&
    known.tags.join() === entry.tags.join() &&
    relevant(known.headers) === relevant(entry.headers)
  );
}

/** SHA-256 of a body as base64url. */
export async function hashOf(body: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body as Uint8Array<ArrayBuffer>));
  return btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export type StoreResult = 'archived' | 'unchanged' | 'near-only' | 'tombstone';

/**
 * Keep a complete response: archive first (other data centres wait for it), then the stage. A take-down that came
 * while it was under way wins.
 */
export async function keepResponse(
  deps: EngineDeps,
  entry: StoredResponse,
  known: StoredMeta | undefined,
): Promise<StoreResult> {
  const verdict = deps.ledger.index.verdict(entry);
  if (verdict === 'deleted') return 'tombstone';
  // Overtaken on its way: it may be what an outage is survived with, but not in place of what came after it.
  if (verdict === 'invalidated' && (await hasSuccessor(deps, entry))) return 'archived';
  let result: StoreResult = 'near-only';
  if (ARCHIVED.has(entry.status) && entry.part === undefined) {
    if (sameInArchive(known, entry)) result = 'unchanged';
    else {
      try {
        await deps.archive.put({ ...entry, archived: true });
        result = 'archived';
      } catch (error) {
        deps.report('archive-write-failed', { error: messageOf(error) });
      }
    }
  }
  await deps.stage.put({ ...entry, archived: result !== 'near-only' });
  return result;
}

/** Does the archive hold what a later fetch brought? */
async function hasSuccessor(deps: EngineDeps, { key, seq, selection }: StoredMeta): Promise<boolean> {
  const read: ReadField = (name) => selection.values[selection.names.indexOf(name)] ?? null;
  const kept = await deps.archive.get(key, read).catch(() => undefined);
  return kept !== undefined && kept.seq > seq;
}

/** Undo a write that a take-down overtook, unless the page is there anew. */
export async function withdraw(deps: EngineDeps, meta: StoredMeta): Promise<void> {
  if (await hasSuccessor(deps, meta)) return;
  await Promise.allSettled([deps.archive.delete(meta.key), deps.stage.delete(meta.key)]);
}
