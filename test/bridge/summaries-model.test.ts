import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Summary } from '../../shared/contract/summary.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { FAULT_NAMES } from '../support/ollama/faults.ts';
import { SMALL_MODEL, TestOllama } from '../support/ollama/server.ts';
import { answerOf } from '../support/summary-answers.ts';
import { startModel, type TestModel } from '../support/summary-model.ts';
import { asking, thread } from '../support/threads.ts';

let model: TestModel;
let bridge: TestBridge;
const started: TestBridge[] = [];
const start = async (env: Record<string, string> = {}) => {
  bridge = await startTestBridge({ OLLAMA_HOST: model.url, ...model.env, ...env });
  started.push(bridge);
};
beforeEach(async () => {
  model = await startModel();
});
afterEach(async () => {
  model.hold = null;
  for (const one of started.splice(0)) await one.stop();
  await model.close();
});

const post = (body: string, headers: Record<string, string> = {}, signal: AbortSignal | null = null) =>
  bridge.call('/v1/summaries', { method: 'POST', body, headers, signal });
const ask = async (body: string): Promise<Summary> => {
  const response = await post(body);
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return (await response.json()) as Summary;
};

describe('with a model', () => {
  test('a summary is made once, cited, and told by its status and metrics', async () => {
    await start();
    const summary = await ask(asking(thread('made', 12)));
    expect(summary).toMatchObject({
      engine: 'model',
      cached: false,
      coverage: { comments: 12, covered: 12, omitted: 0 },
    });
    expect(summary.reason).toBeUndefined();
    expect(summary.tokens.prompt).toBeGreaterThan(100);
    const made = model.chats.length;
    expect(await ask(asking(thread('made', 12)))).toMatchObject({ cached: true, tokens: { prompt: 0, completion: 0 } });
    expect(model.chats).toHaveLength(made);
    expect((await fetch(`${bridge.url}/v1/threads/made/summary`)).status).toBe(200);
    const { dependencies } = (await (await bridge.call('/v1/status')).json()) as {
      dependencies: { name: string; facts?: Record<string, unknown> }[];
    };
    await until('the status knows', () => dependencies.length > 0);
    const metrics = await (await bridge.call('/metrics')).text();
    expect(metrics).toMatch(/porchlight_summaries_total\{outcome="model".*\} 1/);
    expect(metrics).toMatch(/porchlight_summaries_total\{outcome="reuse".*\} 1/);
    expect(metrics).toMatch(/porchlight_summary_queue_depth(\{[^}]*\})? 0/);
  });

  test('events: progress, provisional text, and the summary last', async () => {
    await start();
    const text = await (await post(asking(thread('told', 12)), { accept: 'text/event-stream' })).text();
    const events = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(events.at(-1)).toBe('summary');
    expect(events).toContain('progress');
    expect(text).toContain('"engine":"model"');
  });

  test.each(['', 'text/event-stream'])(
    'the GPU is let go when the last who waits has left (Accept: %s)',
    async (accept) => {
      await start();
      model.hold = 'mid-stream';
      const callers = [new AbortController(), new AbortController()];
      const headers = accept ? { accept } : {};
      const answers = callers.map(({ signal }) =>
        post(asking(thread('left', 8)), headers, signal)
          .then((response) => response.text())
          .catch(() => 'gone'),
      );
      await until('it is being made', () => model.chats.length === 1);
      callers[0]?.abort();
      await answers[0];
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(model.chats[0]?.ended).toBeNull();
      callers[1]?.abort();
      await until('the GPU is let go', () => model.chats[0]?.ended === 'aborted');
    },
  );
});

describe('every fault ends in a bounded, labelled answer', () => {
  let ollama: TestOllama;
  let latestMs = Number.NEGATIVE_INFINITY;
  afterAll(() => console.log(`latest answer of all faults: ${latestMs.toFixed(0)} ms after its deadline`));
  beforeEach(async () => {
    ollama = await TestOllama.start({
      answer: ({ system, user, schema }) =>
        answerOf({
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
          format: schema,
        }),
    });
    await start({ OLLAMA_HOST: ollama.url, OLLAMA_MODEL: SMALL_MODEL.name });
  });
  afterEach(() => ollama.stop());
  /** The others are states in which the model still answers. */
  const faults = FAULT_NAMES.filter((name) => name !== 'cpu' && name !== 'digest-change');

  test.each(faults)('%s', async (fault) => {
    await ask(asking(thread('good', 8)));
    ollama.fault(fault);
    const deadlineMs = 1500;
    const [fresh, grown] = await Promise.all([
      ask(asking(thread('fresh', 8), { deadlineMs })),
      ask(asking(thread('good', 9), { deadlineMs })),
    ]);
    expect([fresh.engine, typeof fresh.reason]).toEqual(['extractive', 'string']);
    expect([grown.engine, grown.stale, typeof grown.reason]).toEqual(['model', true, 'string']);
    // By the bridge's own clock: 250 ms, and more for a machine that does other things too.
    for (const { timings } of [fresh, grown]) {
      expect(timings.totalMs).toBeLessThan(deadlineMs + 1000);
      latestMs = Math.max(latestMs, timings.totalMs - deadlineMs);
    }
    ollama.clearFaults();
    await until('it is back', async () => {
      const { stale, engine } = await ask(asking(thread('good', 9), { deadlineMs: 5000 }));
      return engine === 'model' && !stale;
    });
  });

  test('an Ollama that is away', async () => {
    await ask(asking(thread('good', 8)));
    await ollama.stop();
    expect(await ask(asking(thread('away', 8), { deadlineMs: 3000 }))).toMatchObject({ engine: 'extractive' });
    expect(await ask(asking(thread('good', 9), { deadlineMs: 3000 }))).toMatchObject({ engine: 'model', stale: true });
  });
});

describe('many at once', () => {
  test('1,000 requests for 50 threads against one slot are 50 generations', async () => {
    await start();
    model.delayMs = 20;
    const deadlineMs = 60_000;
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const priority = index % 2 === 0 ? 'interactive' : 'background';
        const summary = await ask(asking(thread(`crowd-${index % 50}`, 6), { priority, deadlineMs }));
        return { priority, summary };
      }),
    );
    expect(model.chats).toHaveLength(50);
    expect(model.most).toBe(1);
    for (const { summary } of answers) {
      expect(summary.engine).toBe('model');
      expect(summary.timings.totalMs).toBeLessThan(deadlineMs + 250);
    }
  }, 180_000);

  test('a full queue refuses with a time to come back, whatever is asked', async () => {
    await start({ SUMMARY_QUEUE_MAX: '3' });
    model.hold = 'before-first-token';
    const leaving = new AbortController();
    const refused: Response[] = [];
    const waiting = Array.from({ length: 12 }, (_, index) =>
      post(asking(thread(`full-${index}`, 4)), {}, leaving.signal)
        .then((response) => void (response.status === 200 || refused.push(response)))
        .catch(() => {}),
    );
    await until('some are refused', () => refused.length >= 5);
    for (const response of refused) {
      expect([429, 503]).toContain(response.status);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    leaving.abort();
    await Promise.all(waiting);
  });
});
