import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { Summary } from '../../shared/contract/summary.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { startModel } from '../support/summary-model.ts';
import { asking, thread } from '../support/threads.ts';

let bridge: TestBridge;
afterEach(() => bridge.stop());

async function ask(id: string, deadlineMs: number): Promise<Summary> {
  const body = asking(thread(id, 8), { deadlineMs });
  return (await (await bridge.call('/v1/summaries', { method: 'POST', body })).json()) as Summary;
}

test('who joins with a later deadline is not cut off at the first caller’s', async () => {
  const model = await startModel();
  onTestFinished(() => model.close());
  bridge = await startTestBridge({ OLLAMA_HOST: model.url, ...model.env });
  model.hold = 'mid-stream';
  const first = ask('shared', 4000);
  await until('it is being made', () => model.chats.length === 1);
  const joined = ask('shared', 60_000);
  expect(await first).toMatchObject({ engine: 'extractive', reason: 'deadline' });
  model.hold = null;
  expect(await joined).toMatchObject({ engine: 'model' });
  expect(model.chats).toMatchObject([{ ended: 'done' }]);
});

test('an Ollama that takes connections and says nothing makes nobody late', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const { port } = silent.address() as AddressInfo;
  bridge = await startTestBridge({ OLLAMA_HOST: `http://127.0.0.1:${port}` });
  for (const id of ['first', 'second']) {
    const summary = await ask(id, 500);
    expect(summary).toMatchObject({ engine: 'extractive', reason: 'unreachable' });
    // It gives up on the model after half of the time; the two seconds it would wait at most are not in it.
    expect(summary.timings.totalMs).toBeLessThan(1500);
  }
});
