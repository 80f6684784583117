import { expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { SharedBody } from './shared-body.ts';

const LIMITS = { maxBytes: 100, budget: { used: 0, max: 100 }, windowBytes: 10, idleMs: 15_000, unreadMs: 30_000 };

test('a body whose pump is gone ends as broken for its readers, and takes no new ones', async () => {
  let now = NOW;
  const source = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(3)) });
  // The request that fetched it ended before it pumped a byte: `pump` is never called.
  const body = new SharedBody(source, LIMITS, () => now);
  const reader = body.stream().getReader();
  const reading = reader.read();
  expect([body.joinable, body.isLost]).toEqual([true, false]);
  now += 2 * LIMITS.idleMs + 1_001;
  expect([body.joinable, body.isLost]).toEqual([false, true]);
  await expect(reading).rejects.toThrow('ended early');
});
