import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { sleep } from '../support/program.ts';
import { ask, home, pageBody, portOf, purge, TRUST_MS } from './support.ts';

const at = home({ colos: 2 });

/** Sends a request and is gone, at a moment of its own between now and a few milliseconds later. */
async function leave(path: string, afterMs: number): Promise<void> {
  const socket = connect(portOf(at.edge), '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  if (afterMs > 0) await sleep(afterMs);
  socket.destroy();
}

test('readers who leave at once take nothing with them that others wait for', async () => {
  at.origin.publish('/left', pageBody('/left', 1));
  await ask(at.edge, '/left');
  for (let round = 0; round < 12; round += 1) {
    // Each time the snapshot of the ledger is due again: one of these begins to refresh it, and leaves.
    await sleep(300);
    await Promise.all(Array.from({ length: 12 }, (_, i) => leave('/left', i % 4)));
  }
  at.origin.publish('/left', pageBody('/left', 2));
  await purge(at.edge, { urls: ['/left'] }, 1);
  await sleep(TRUST_MS);
  const answer = await ask(at.edge, '/left');
  expect(answer.text).toBe(pageBody('/left', 2));
  console.log(`after leavers: answered in ${answer.totalMs.toFixed(0)} ms`);
});
