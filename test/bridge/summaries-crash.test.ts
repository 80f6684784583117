import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job, Summary } from '../../shared/contract/summary.ts';
import { BRIDGE_TOKEN, newDataDirectory, until } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { type Child, freePort } from '../support/process.ts';
import { startModel, type TestModel } from '../support/summary-model.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { asking, thread } from '../support/threads.ts';

let model: TestModel;
let bridge: Child | null = null;
let data = '';
let port = 0;
beforeEach(async () => {
  model = await startModel();
  data = await newDataDirectory();
  port = await freePort();
  await start();
});
afterEach(async () => {
  await bridge?.kill('SIGKILL');
  await model.close();
  rmSync(data, { recursive: true, force: true });
});

async function start(): Promise<void> {
  bridge = await startBridgeProcess(port, data, { OLLAMA_HOST: model.url, ...model.env });
}
async function crash(): Promise<void> {
  await bridge?.kill('SIGKILL');
  await start();
}
/** A thread whose prompts can be told from those of others. */
const marked = (id: string) => {
  const { comments } = thread(id, 10);
  return { id, comments: comments.map((one) => ({ ...one, text: `In thread-${id}-here it is said: ${one.text}` })) };
};
const headers = { authorization: `Bearer ${BRIDGE_TOKEN}` };
const send = (id: string, at = port) =>
  fetch(`http://127.0.0.1:${at}/v1/summaries`, {
    method: 'POST',
    headers: { ...headers, prefer: 'respond-async' },
    body: asking(marked(id), { priority: 'background' }, { id: `job-of-${id}` }),
  });
const accepted = async (id: string) => {
  const response = await send(id);
  expect(response.status).toBe(202);
  return (await response.json()) as { replayed: boolean };
};
const job = async (id: string) => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/summaries/job-of-${id}`, { headers });
  return (await response.json()) as Job;
};
const done = (id: string) =>
  until(
    `job ${id} is done`,
    async () => {
      const read = await job(id);
      return read.state === 'done' && read;
    },
    60_000,
  );
const generationsOf = (id: string) => model.chats.filter(({ user }) => user.includes(`thread-${id}-`)).length;

test('accepted: killed at once, it is done after the restart', async () => {
  await accepted('one');
  await crash();
  expect((await done('one')).summary).toMatchObject({ engine: 'model', coverage: { comments: 10 } });
});

test('queued behind others: all of them are done, each once', async () => {
  model.hold = 'before-first-token';
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const id of ids) await accepted(id);
  await until('one is under way', () => model.chats.length > 0);
  await bridge?.kill('SIGKILL');
  model.hold = null;
  const before = model.chats.length;
  await start();
  for (const id of ids) await done(id);
  expect(model.chats.length - before).toBe(ids.length);
});

test.each(['before-first-token', 'mid-stream'] as const)(
  'running, %s: the GPU is let go, and it is made anew',
  async (hold) => {
    model.hold = hold;
    await accepted('run');
    await until('it is under way', async () => model.chats.length === 1 && (await job('run')).state === 'running');
    await bridge?.kill('SIGKILL');
    await until('the GPU is let go', () => model.chats[0]?.ended === 'aborted');
    model.hold = null;
    await start();
    expect((await done('run')).summary).toMatchObject({ engine: 'model' });
    expect(model.chats).toHaveLength(2);
  },
);

test('stored, but not acknowledged: sent again it is the same job, made once', async () => {
  const proxy = await startTcpProxy(port);
  model.hold = 'before-first-token';
  const unheard = send('lost', proxy.port).catch(() => null);
  await until('it is stored', async () => (await job('lost')).state !== undefined);
  proxy.drop();
  await unheard;
  await bridge?.kill('SIGKILL');
  model.hold = null;
  await start();
  expect(await accepted('lost')).toMatchObject({ replayed: true });
  await done('lost');
  const before = model.chats.length;
  expect(await accepted('lost')).toMatchObject({ replayed: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(model.chats).toHaveLength(before);
  await proxy.close();
});

test('done: neither the job nor a request for the same is made again', async () => {
  await accepted('end');
  const { summary } = await done('end');
  const made = model.chats.length;
  await crash();
  expect((await job('end')).summary).toEqual(summary);
  expect(await accepted('end')).toMatchObject({ replayed: true });
  const response = await fetch(`http://127.0.0.1:${port}/v1/summaries`, {
    method: 'POST',
    headers,
    body: asking(marked('end')),
  });
  expect((await response.json()) as Summary).toMatchObject({
    cached: true,
    engine: 'model',
    summary: summary?.summary,
  });
  expect(model.chats).toHaveLength(made);
});

test('answered without a job: on the disk with whatever was accepted after it, and killed at once it costs a generation at most', async () => {
  const answer = async (id: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/summaries`, {
      method: 'POST',
      headers,
      body: asking(marked(id)),
    });
    return (await response.json()) as Summary;
  };
  await answer('before');
  await accepted('after');
  await answer('last');
  await crash();
  expect(await answer('before')).toMatchObject({ cached: true, engine: 'model' });
  await done('after');
  expect(await answer('last')).toMatchObject({ engine: 'model', coverage: { covered: 10 } });
  expect([generationsOf('before'), generationsOf('last')]).toEqual([1, expect.toBeOneOf([1, 2])]);
});

test('SIGTERM gives running jobs back at once, and an orderly end costs no attempt', async () => {
  model.hold = 'mid-stream';
  await accepted('term');
  await until('it is under way', () => model.chats.length === 1);
  const from = performance.now();
  await bridge?.kill('SIGTERM');
  expect(performance.now() - from).toBeLessThan(20_000);
  expect(model.chats[0]?.ended).toBe('aborted');
  model.hold = null;
  await start();
  await done('term');
});

test('killed again and again, nothing that was accepted is lost or made after it was finished', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => `n${index}`);
  model.delayMs = 30;
  const finished = new Map<string, number>();
  for (const [index, id] of ids.entries()) {
    await accepted(id);
    if (index % 6 !== 5) continue;
    for (const earlier of ids.slice(0, index)) {
      if ((await job(earlier)).state === 'done' && !finished.has(earlier))
        finished.set(earlier, generationsOf(earlier));
    }
    await crash();
  }
  for (const id of ids) await done(id);
  for (const [id, generations] of finished) expect([id, generationsOf(id)]).toEqual([id, generations]);
}, 180_000);
