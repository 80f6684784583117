import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { micros, microsOf } from '../../examples/firebase/store.ts';
import { ROOT } from '../support/program.ts';

test('what is deployed is one file that needs the two Firebase packages alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'functions-'));
  try {
    const outfile = join(folder, 'index.mjs');
    const { metafile } = await build({
      entryPoints: [join(ROOT, 'examples/firebase/index.ts')],
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      external: ['firebase-admin', 'firebase-functions'],
      outfile,
      metafile: true,
      logLevel: 'silent',
    });
    const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect([...new Set(outside)].sort()).toEqual([
      'firebase-admin/app',
      'firebase-admin/firestore',
      'firebase-functions',
      'firebase-functions/params',
      'firebase-functions/v2/firestore',
      'node:crypto',
    ]);
    expect((await readFile(outfile)).length).toBeLessThan(1_000_000);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the entry exports the trigger, and asks for nothing while it loads', async () => {
  const entry = await import('../../examples/firebase/index.ts');
  expect(Object.keys(entry)).toEqual(['summarisecomments']);
  expect(entry.summarisecomments.__endpoint.eventTrigger?.retry).toBe(true);
});

test.each<[string, number]>([
  ['2026-11-21T12:00:00Z', 1_795_262_400_000_000],
  ['2026-11-21T12:00:00.5Z', 1_795_262_400_500_000],
  ['2026-11-21T12:00:00.123456Z', 1_795_262_400_123_456],
  ['2026-11-21T12:00:00.123456789Z', 1_795_262_400_123_456],
  ['2026-11-21T13:00:00.000001+01:00', 1_795_262_400_000_001],
])('microseconds of %s', (time, expected) => {
  expect(microsOf(time)).toBe(expected);
  const nanoseconds = (expected % 1e6) * 1000 + 999;
  expect(micros({ seconds: Math.floor(expected / 1e6), nanoseconds })).toBe(expected);
});
