import { expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import type { StoredResponse } from '../policy/stored.ts';
import type { EngineDeps } from './deps.ts';
import { keepResponse } from './store.ts';

/** An archive that fails so many times, and a stage; as much of an engine as keeping needs. */
function engine(failures: number) {
  const archive: StoredResponse[] = [];
  const near: StoredResponse[] = [];
  const reports: string[] = [];
  let left = failures;
  const deps = {
    ledger: { index: { verdict: () => 'valid' } },
    report: (event: string) => reports.push(event),
    archive: {
      put: async (entry: StoredResponse) => {
        left -= 1;
        if (left >= 0) throw new Error('10001');
        archive.push(entry);
      },
    },
    stage: { put: async (entry: StoredResponse) => void near.push(entry) },
  } as unknown as EngineDeps;
  return { deps, archive, near, reports };
}

test('a copy that the archive refused is offered again by every validation, until it is there', async () => {
  const { deps, archive, near, reports } = engine(2);
  const entry = storedResponse({ bodyHash: 'same' });
  expect(await keepResponse(deps, entry, undefined)).toBe('near-only');
  expect(await keepResponse(deps, entry, near.at(-1))).toBe('near-only');
  expect(await keepResponse(deps, entry, near.at(-1))).toBe('archived');
  expect(await keepResponse(deps, entry, near.at(-1))).toBe('unchanged');
  expect([archive.length, near.length, reports]).toEqual([1, 4, ['archive-write-failed', 'archive-write-failed']]);
});

test('what only memory knows, because its isolate ended before the archive was written, is written', async () => {
  const { deps, archive } = engine(0);
  const entry = storedResponse({ bodyHash: 'same' });
  expect(await keepResponse(deps, entry, entry)).toBe('archived');
  expect(archive).toHaveLength(1);
  expect(await keepResponse(deps, entry, archive[0])).toBe('unchanged');
});
