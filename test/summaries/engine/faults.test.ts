import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { FailureName } from '../../../bridge/summaries/types.ts';
import type { FaultName, FaultOptions } from '../../support/ollama/server.ts';
import { engineFor, never, REQUEST, startOllama, until } from './setting.ts';

const limits = { firstTokenMs: 300, stallMs: 300, askMs: 1000, maxStreamBytes: 100_000 };

test('an answer: the whole text, its usage, and the text as it grew', async () => {
  const ollama = await startOllama({ msPerAnswerToken: 1 });
  let grown = '';
  const onText = (delta: string) => {
    grown += delta;
  };
  const result = await engineFor(ollama.url).generate({ ...REQUEST, onText }, never());
  expect(result).toMatchObject({ ok: true, usage: { promptTokens: 59, completionTokens: expect.any(Number) } });
  if (!result.ok) return;
  expect(grown).toBe(result.text);
  expect(JSON.parse(result.text)).toMatchObject({
    points: [{ commentIds: ['c1'] }, { commentIds: ['c2'] }, { commentIds: ['c3'] }],
  });
  const { firstTokenMs, durationMs } = result.usage;
  expect(firstTokenMs).toBeGreaterThan(0);
  expect(durationMs).toBeGreaterThan(firstTokenMs ?? Number.POSITIVE_INFINITY);
  expect(ollama.counts).toMatchObject({ started: 1, finished: 1, running: 0, promptTokens: 59 });
});

const FAULTS: [FaultName, FaultOptions, FailureName][] = [
  ['model-missing', {}, 'model-missing'],
  ['context-exceeded', {}, 'context-exceeded'],
  ['bad-format', {}, 'bad-request'],
  ['busy', {}, 'busy'],
  ['crash', {}, 'crashed'],
  ['crash-mid-stream', {}, 'crashed'],
  ['crash-mid-stream', { afterTokens: 0 }, 'crashed'],
  ['no-done', {}, 'incomplete'],
  ['no-done', { afterTokens: 0 }, 'incomplete'],
  ['length', {}, 'length'],
  ['repetition', {}, 'repetition'],
  ['endless-repetition', {}, 'repetition'],
  ['reset-before-headers', {}, 'unreachable'],
  ['reset-mid-stream', {}, 'unreachable'],
  ['header-silence', {}, 'first-token-timeout'],
  ['slow-first-token', { delayMs: 60_000 }, 'first-token-timeout'],
  ['stall-mid-stream', {}, 'stalled'],
  ['html-login', {}, 'not-ollama'],
  ['garbage-lines', {}, 'not-ollama'],
  ['endless', {}, 'not-ollama'],
];

test.each(FAULTS)('%s %j is %s, soon, and leaves the GPU free', async (fault, options, failure) => {
  const ollama = await startOllama();
  const engine = engineFor(ollama.url, { limits });
  await engine.model(never());
  ollama.fault(fault, { ...options, times: 1 });
  const start = performance.now();
  const result = await engine.generate(REQUEST, never());
  expect(performance.now() - start).toBeLessThan(2000);
  expect(result).toMatchObject({ ok: false, failure, message: expect.stringMatching(/./) });
  expect(JSON.stringify(result)).not.toContain('winter');
  await until(() => ollama.counts.running === 0);
  // The next one is served.
  expect(await engine.generate(REQUEST, never())).toMatchObject({ ok: true });
});

test('an answer that is no JSON is an answer: the check of what it says is not the engine’s', async () => {
  const ollama = await startOllama();
  ollama.fault('garbage', { times: 1 });
  const result = await engineFor(ollama.url).generate(REQUEST, never());
  expect(result).toMatchObject({ ok: true, text: 'Sure! Here is your summary: {"sum' });
});

test('a prompt over the context is refused with the counts, never cut', async () => {
  const ollama = await startOllama();
  const user = 'word '.repeat(10_000);
  const result = await engineFor(ollama.url).generate({ ...REQUEST, user }, never());
  expect(result).toMatchObject({ ok: false, failure: 'context-exceeded', contextTokens: 8192 });
  expect(!result.ok && result.promptTokens).toBeGreaterThan(10_000);
  expect(ollama.counts).toMatchObject({ started: 0 });
});

test('an answer longer than numPredict is cut by Ollama and said', async () => {
  const ollama = await startOllama();
  const result = await engineFor(ollama.url).generate({ ...REQUEST, numPredict: 8 }, never());
  expect(result).toMatchObject({ ok: false, failure: 'length', usage: { completionTokens: 8, promptTokens: 59 } });
});

test('every request asks for the same context: the model is loaded once', async () => {
  const ollama = await startOllama();
  const engine = engineFor(ollama.url);
  for (const numPredict of [64, 128, 256]) await engine.generate({ ...REQUEST, numPredict }, never());
  expect(ollama.counts).toMatchObject({ loads: 1, minNumCtx: 8192, maxNumCtx: 8192 });
});

test('nobody listens there', async () => {
  const ollama = await startOllama();
  const { url } = ollama;
  await ollama.stop();
  const engine = engineFor(url, { limits });
  expect(await engine.generate(REQUEST, never())).toMatchObject({ ok: false, failure: 'unreachable', usage: null });
});

test('a host that takes the connection and says nothing', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const engine = engineFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { limits });
  expect(await engine.model(never())).toMatchObject({ ok: false, failure: 'unreachable', message: /within 1000 ms/ });
});
