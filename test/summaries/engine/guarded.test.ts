import { describe, expect, test } from 'vitest';
import type { BreakerState } from '../../../bridge/summaries/engine/breaker.ts';
import { BreakerEngine } from '../../../bridge/summaries/engine/guarded.ts';
import type { TestOllama } from '../../support/ollama/server.ts';
import { engineFor, never, REQUEST, startOllama, until } from './setting.ts';

function guard(ollama: TestOllama, allowCpu = false, firstTokenMs = 300) {
  const clock = { now: 0 };
  const changes: BreakerState['kind'][] = [];
  const engine = new BreakerEngine(engineFor(ollama.url, { limits: { firstTokenMs, stallMs: 300 } }), {
    now: () => clock.now,
    random: () => 1,
    allowCpu,
    changed: ({ kind }) => changes.push(kind),
  });
  return { engine, clock, changes, ask: (signal = never()) => engine.generate(REQUEST, signal) };
}

describe('an engine that fails is left alone', () => {
  test('two crashes open it; one probe at its time closes it', async () => {
    const ollama = await startOllama();
    const { ask, clock, changes, engine } = guard(ollama);
    ollama.fault('crash', { times: 2 });
    expect(await ask()).toMatchObject({ failure: 'crashed' });
    expect(await ask()).toMatchObject({ failure: 'crashed' });
    expect(await ask()).toMatchObject({ failure: 'breaker-open', message: 'not asked after crashed; again in 5 s' });
    expect(engine.retryAfterMs()).toBe(5000);
    expect(await engine.model(never())).toMatchObject({ ok: true });
    clock.now = 5000;
    const results = await Promise.all([ask(), ask(), ask()]);
    expect(results.map((one) => (one.ok ? 'ok' : one.failure))).toEqual(['ok', 'breaker-open', 'breaker-open']);
    expect(ollama.requests('POST /api/chat')).toBe(3);
    expect(await ask()).toMatchObject({ ok: true });
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  test('a first token that does not come opens it at once', async () => {
    const ollama = await startOllama();
    const { ask } = guard(ollama);
    ollama.fault('header-silence', { times: 1 });
    expect(await ask()).toMatchObject({ failure: 'first-token-timeout' });
    expect(await ask()).toMatchObject({ failure: 'breaker-open' });
  });

  test.each([
    ['for long: it opens', 15_000, false, 'breaker-open'],
    ['for a moment: it says nothing', 14_999, false, 'aborted'],
    ['for long, where the CPU may do it', 15_000, true, 'aborted'],
  ])('a caller whose deadline comes before the first token, silent %s', async (_name, ms, allowCpu, then) => {
    const ollama = await startOllama();
    const { ask, clock } = guard(ollama, allowCpu, 60_000);
    ollama.fault('header-silence', { times: 2 });
    const leave = async (count: number, afterMs: number) => {
      const caller = new AbortController();
      const asked = ask(caller.signal);
      // A breaker that is open answers without the engine.
      const ended = asked.then(() => true);
      await Promise.race([ended, until(() => ollama.requests('POST /api/chat') === count)]);
      clock.now += afterMs;
      caller.abort();
      return asked;
    };
    expect(await leave(1, ms)).toMatchObject({ failure: 'aborted' });
    expect(await leave(2, 0)).toMatchObject({ failure: then });
  });

  test('a model that is still loading does not: whoever asks tries that again in its own time', async () => {
    const ollama = await startOllama();
    const { ask, changes } = guard(ollama);
    ollama.fault('busy', { times: 3 });
    for (let count = 0; count < 3; count++) expect(await ask()).toMatchObject({ failure: 'busy' });
    expect(await ask()).toMatchObject({ ok: true });
    expect(changes).toEqual([]);
  });

  test('a probe that its caller breaks off is followed by another', async () => {
    const ollama = await startOllama({ msPerPromptToken: 2 });
    const { ask, clock } = guard(ollama);
    ollama.fault('stall-mid-stream', { times: 2 });
    expect(await ask()).toMatchObject({ failure: 'stalled' });
    await until(() => ollama.counts.running === 0);
    clock.now = 5000;
    const caller = new AbortController();
    const probe = ask(caller.signal);
    await until(() => ollama.counts.started === 2);
    caller.abort();
    expect(await probe).toMatchObject({ failure: 'aborted' });
    expect(await ask()).toMatchObject({ ok: true });
  });
});

test('the share of the GPU is known while all is well', async () => {
  const ollama = await startOllama();
  const { ask, engine, changes } = guard(ollama);
  expect(engine.gpuShare).toBeNull();
  expect(await ask()).toMatchObject({ ok: true });
  await until(() => engine.gpuShare === 1);
  expect(changes).toEqual([]);
});

describe('a model that fell back to the CPU', () => {
  test('is noticed with the first token, and its generation stopped', async () => {
    const ollama = await startOllama({ msPerAnswerToken: 1 });
    const { ask, clock, engine } = guard(ollama);
    ollama.fault('cpu');
    expect(await ask()).toMatchObject({
      ok: false,
      failure: 'on-cpu',
      usage: { completionTokens: expect.any(Number) },
    });
    await until(() => ollama.counts.running === 0);
    expect(ollama.counts).toMatchObject({ started: 1, cancelled: 1 });
    expect(engine.gpuShare).toBe(0);
    expect(await ask()).toMatchObject({ failure: 'on-cpu', usage: null });
    // The probe looks before it generates.
    clock.now = 5000;
    expect(await ask()).toMatchObject({ failure: 'on-cpu' });
    expect(ollama.counts).toMatchObject({ started: 1 });
    ollama.clearFaults();
    clock.now = 15_000;
    expect(await ask()).toMatchObject({ ok: true });
    expect(engine.gpuShare).toBe(1);
  });

  test('is used all the same where that is allowed', async () => {
    const ollama = await startOllama();
    const { ask, engine } = guard(ollama, true);
    ollama.fault('cpu');
    expect(await ask()).toMatchObject({ ok: true });
    await until(() => engine.gpuShare === 0);
  });
});
