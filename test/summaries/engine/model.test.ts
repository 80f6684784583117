import { expect, test } from 'vitest';
import { SMALL_MODEL } from '../../support/ollama/server.ts';
import { CONTEXT, engineFor, never, REQUEST, startOllama, until } from './setting.ts';

test('the model: its digest, and the smaller of the context configured and trained for', async () => {
  const ollama = await startOllama();
  const model = { name: SMALL_MODEL.name, digest: SMALL_MODEL.digest, contextTokens: CONTEXT };
  expect(await engineFor(ollama.url).model(never())).toEqual({ ok: true, model });
  ollama.install({ ...SMALL_MODEL, contextLength: 2048 });
  const small = engineFor(ollama.url);
  expect(await small.model(never())).toEqual({ ok: true, model: { ...model, contextTokens: 2048 } });
  await small.generate(REQUEST, never());
  expect(ollama.counts).toMatchObject({ maxNumCtx: 2048 });
});

test('is asked for once while it holds, by however many, and never by generating', async () => {
  const ollama = await startOllama();
  let now = 0;
  const engine = engineFor(ollama.url, { now: () => now, limits: { modelTtlMs: 1000, missTtlMs: 100 } });
  await Promise.all(Array.from({ length: 20 }, () => engine.model(never())));
  now = 999;
  await engine.model(never());
  expect([ollama.requests('GET /api/tags'), ollama.requests('POST /api/show')]).toEqual([1, 1]);
  ollama.fault('digest-change');
  now = 5000;
  const other = await engine.model(never());
  expect(other.ok && other.model.digest).toBe([...SMALL_MODEL.digest].reverse().join(''));
  now = 10_000;
  await engine.model(never());
  expect([ollama.requests('GET /api/tags'), ollama.requests('POST /api/show')]).toEqual([3, 2]);
  expect(ollama.requests('POST /api/chat')).toBe(0);
});

test('one that is missing says how to get it, and is looked for again soon', async () => {
  const ollama = await startOllama({ models: [] });
  let now = 0;
  const engine = engineFor(ollama.url, { now: () => now, limits: { modelTtlMs: 1000, missTtlMs: 100 } });
  const missing = { ok: false, failure: 'model-missing', message: 'no llama3.2:3b: run "ollama pull llama3.2:3b"' };
  expect(await engine.model(never())).toEqual(missing);
  expect(await engine.generate(REQUEST, never())).toEqual({ ...missing, usage: null });
  ollama.install(SMALL_MODEL);
  now = 99;
  expect(await engine.model(never())).toEqual(missing);
  now = 500;
  expect(await engine.model(never())).toMatchObject({ ok: true });
});

test('is refreshed in the background: nobody waits for what is hardly old', async () => {
  const ollama = await startOllama();
  let now = 0;
  const engine = engineFor(ollama.url, { now: () => now, limits: { modelTtlMs: 1000, missTtlMs: 100 } });
  const digest = async () => {
    const known = await engine.model(never());
    return known.ok ? known.model.digest : known.failure;
  };
  const other = [...SMALL_MODEL.digest].reverse().join('');
  await digest();
  ollama.fault('digest-change');
  now = 4999;
  expect(await digest()).toBe(SMALL_MODEL.digest);
  await until(() => ollama.requests('POST /api/show') === 2);
  await expect.poll(digest).toBe(other);
  // The same for a host that is gone: what is known to fail is answered at once, again and again.
  await ollama.stop();
  now = 12_000;
  expect(await digest()).toBe('unreachable');
  now = 12_499;
  expect(await digest()).toBe('unreachable');
});

test('is answered while a generation runs', async () => {
  const ollama = await startOllama({ msPerPromptToken: 1000 });
  const caller = new AbortController();
  const engine = engineFor(ollama.url, { limits: { modelTtlMs: 0 } });
  const running = engine.generate(REQUEST, caller.signal);
  expect(await engine.model(never())).toMatchObject({ ok: true });
  caller.abort();
  await running;
});

test('a caller who leaves does not end the question for the others', async () => {
  const ollama = await startOllama();
  const engine = engineFor(ollama.url);
  const caller = new AbortController();
  const [gone, stays] = [engine.model(caller.signal), engine.model(never())];
  caller.abort();
  expect(await gone).toMatchObject({ ok: false, failure: 'aborted' });
  expect(await stays).toMatchObject({ ok: true });
});

test('load: not loaded, on the GPU, on the CPU, and unknown', async () => {
  const ollama = await startOllama();
  const engine = engineFor(ollama.url);
  expect(await engine.load(never())).toBeNull();
  await engine.generate(REQUEST, never());
  const { digest } = SMALL_MODEL;
  expect(await engine.load(never())).toMatchObject({ gpuShare: 1, contextTokens: CONTEXT, digest });
  ollama.fault('cpu');
  expect(await engine.load(never())).toMatchObject({ gpuShare: 0 });
  ollama.clearFaults();
  ollama.fault('html-login');
  expect(await engine.load(never())).toBeNull();
});
