import { describe, expect, test } from 'vitest';
import { engineFor, never, REQUEST, startOllama, until } from './setting.ts';

const FREE_WITHIN_MS = 250;

describe('cancelling stops the GPU', () => {
  test('before the headers', async () => {
    const ollama = await startOllama({ msPerPromptToken: 1000 });
    const engine = engineFor(ollama.url);
    const caller = new AbortController();
    const result = engine.generate(REQUEST, caller.signal);
    await until(() => ollama.counts.running === 1);
    caller.abort();
    expect(await until(() => ollama.counts.running === 0)).toBeLessThan(FREE_WITHIN_MS);
    expect(await result).toMatchObject({ ok: false, failure: 'aborted', usage: null });
    expect(ollama.counts).toMatchObject({ started: 1, cancelled: 1, finished: 0 });
  });

  test('mid-stream', async () => {
    const ollama = await startOllama({ msPerAnswerToken: 20 });
    const caller = new AbortController();
    let seen = 0;
    const onText = () => {
      seen += 1;
    };
    const result = engineFor(ollama.url).generate({ ...REQUEST, onText }, caller.signal);
    await until(() => seen >= 3);
    caller.abort();
    expect(await until(() => ollama.counts.running === 0)).toBeLessThan(FREE_WITHIN_MS);
    expect(await result).toMatchObject({ ok: false, failure: 'aborted', usage: { firstTokenMs: expect.any(Number) } });
    expect(ollama.counts).toMatchObject({ cancelled: 1 });
  });

  test('while it waits behind another: that one goes on', async () => {
    const ollama = await startOllama({ msPerAnswerToken: 5 });
    const engine = engineFor(ollama.url);
    const first = engine.generate(REQUEST, never());
    await until(() => ollama.counts.running === 1);
    const caller = new AbortController();
    const second = engine.generate(REQUEST, caller.signal);
    await until(() => ollama.counts.queued === 1);
    caller.abort();
    expect(await second).toMatchObject({ ok: false, failure: 'aborted' });
    expect(await first).toMatchObject({ ok: true });
    expect(ollama.counts).toMatchObject({ started: 1, finished: 1, leftQueue: 1, running: 0, queued: 0 });
  });

  test('before it began: nothing is sent', async () => {
    const ollama = await startOllama();
    const engine = engineFor(ollama.url);
    await engine.model(never());
    expect(await engine.generate(REQUEST, AbortSignal.abort())).toMatchObject({ ok: false, failure: 'aborted' });
    expect(ollama.requests('POST /api/chat')).toBe(0);
  });
});
