import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GenerationQueue } from '../../bridge/summaries/queue/queue.ts';
import type { Began } from '../../bridge/summaries/service.ts';
import type { Listen, Made } from '../../bridge/summaries/types.ts';
import type { Summary } from '../../shared/contract/summary.ts';
import { until } from '../support/bridge.ts';
import { type Bench, MODEL, made, startBench } from '../support/summary-service.ts';
import { comment, thread } from '../support/threads.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
}, 60_000);
afterAll(() => bench.stop());
beforeEach(() => {
  bench.model = MODEL;
  bench.make = async (assignment) => made(assignment);
  bench.begun = 0;
  bench.full = false;
});

const answer = async (began: Began | Promise<Began>): Promise<Summary> => {
  const one = await began;
  if (one.kind === 'refused') throw new Error(one.reason);
  const summary = one.kind === 'ready' ? one.summary : await one.result;
  if (summary === null) throw new Error('the caller has left');
  return summary;
};
/** A generation that ends when the test says so, or when it is broken off. */
function held() {
  let release = (): void => {};
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  const state = { aborted: 0 };
  bench.make = async (assignment, signal) => {
    const broken = new Promise<Made>((resolve) => {
      signal.addEventListener('abort', () => {
        state.aborted++;
        resolve(made(assignment, { engine: 'extractive', reason: 'aborted' }));
      });
    });
    return Promise.race([open.then(() => made(assignment)), broken]);
  };
  return { release: () => release(), state };
}

describe('what is the same is made once', () => {
  test('a hundred at once, and whoever comes later', async () => {
    const asked = thread('once', 5);
    const answers = await Promise.all(Array.from({ length: 100 }, () => answer(bench.ask(asked))));
    expect(bench.begun).toBe(1);
    expect(new Set(answers.map(({ summary }) => summary)).size).toBe(1);
    expect(await answer(bench.ask(asked))).toMatchObject({ cached: true, stale: false, tokens: { prompt: 0 } });
    expect(await answer(bench.ask(asked, { style: 'brief' }))).toMatchObject({ cached: false });
    expect(await answer(bench.ask(asked))).toMatchObject({ cached: true });
    expect(bench.begun).toBe(2);
  });

  test('another model makes it anew; one that cannot be asked does not', async () => {
    await answer(bench.ask(thread('digest', 5)));
    bench.model = { kind: 'failed', reason: 'unreachable' };
    expect(await answer(bench.ask(thread('digest', 5)))).toMatchObject({ cached: true, engine: 'model' });
    bench.model = { kind: 'model', model: { name: 'test', digest: 'sha256:2', contextTokens: 8192 } };
    expect(await answer(bench.ask(thread('digest', 5)))).toMatchObject({ cached: false });
  });

  test('the record goes with a thread that grows, also that of a generation that failed', async () => {
    await answer(bench.ask(thread('grows', 5)));
    bench.make = async (assignment) => made(assignment, { engine: 'extractive', reason: 'crashed' });
    expect(await answer(bench.ask(thread('grows', 6)))).toMatchObject({
      stale: true,
      reason: 'crashed',
      engine: 'model',
    });
    let record: unknown;
    bench.make = async (assignment) => {
      record = assignment.record;
      return made(assignment);
    };
    await answer(bench.ask(thread('grows', 7)));
    expect(record).toMatchObject({ ids: { length: 6 } });
  });
});

test('what is made of an earlier state replaces neither the summary nor the record of a later one', async () => {
  let release = (): void => {};
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  const records: unknown[] = [];
  bench.make = async (assignment) => {
    records.push(assignment.record);
    if (assignment.thread.comments.length === 3) await open;
    return made(assignment);
  };
  const slow = await bench.ask(thread('overtaken', 3));
  await answer(bench.ask(thread('overtaken', 5)));
  release();
  expect(await answer(slow)).toMatchObject({ coverage: { comments: 3 } });
  expect(await answer(bench.ask(thread('overtaken', 5)))).toMatchObject({ cached: true, coverage: { comments: 5 } });
  await answer(bench.ask(thread('overtaken', 6)));
  expect(records.at(-1)).toMatchObject({ ids: { length: 5 } });
});

test('a thread is taken for a new one once, and again after it was removed there is one answer', async () => {
  const { length } = bench.foreseen;
  for (let turn = 0; turn < 2; turn++) await answer(bench.ask(thread('foreseen', 3)));
  await bench.threads.remove('foreseen', Date.now());
  const anew = thread('foreseen', 0, { comments: [comment(7)] });
  expect(await answer(bench.ask(anew))).toMatchObject({ cached: false });
  expect(bench.foreseen.slice(length)).toEqual([
    ['foreseen', true],
    ['foreseen', false],
    ['foreseen', false],
  ]);
});

test('what cannot be worked out ahead is left to the one who makes it', async () => {
  expect(await answer(bench.ask(thread('unforeseeable', 3)))).toMatchObject({
    engine: 'model',
    coverage: { covered: 3 },
  });
  expect(bench.begun).toBe(1);
});

describe('a request that the store does not answer in time', () => {
  /** Asks while the store does not say how a thread stands. */
  async function askAside(id: string) {
    const { threads } = bench;
    threads.meet = () => Promise.reject(new Error('away'));
    const began = await bench.ask(thread(id, 4));
    Reflect.deleteProperty(threads, 'meet');
    return began;
  }

  test('waits with one that it answered', async () => {
    const { release } = held();
    const known = await bench.ask(thread('aside-second', 4));
    const aside = await askAside('aside-second');
    await until('it is being made', () => bench.begun > 0);
    release();
    const answers = [await answer(known), await answer(aside)];
    expect(answers.map(({ engine, reason }) => [engine, reason])).toEqual(Array(2).fill(['model', undefined]));
    expect(bench.begun).toBe(1);
  });

  test('is joined by one that it answers, and kept for that one', async () => {
    const { release } = held();
    const aside = await askAside('aside-first');
    const known = await bench.ask(thread('aside-first', 4));
    await until('it is being made', () => bench.begun > 0);
    release();
    const answers = [await answer(aside), await answer(known)];
    expect(answers.map(({ engine, reason }) => [engine, reason])).toEqual(Array(2).fill(['model', undefined]));
    expect(bench.begun).toBe(1);
    expect((await bench.threads.latest('aside-first'))?.summary).toMatchObject({ engine: 'model', stale: false });
  });

  test('is not joined once a removal came between', async () => {
    held();
    const aside = await askAside('aside-over');
    bench.service.supersede('aside-over');
    bench.make = async (assignment) => made(assignment);
    expect((await answer(aside)).reason).toBe('superseded');
    expect(await answer(bench.ask(thread('aside-over', 4)))).toMatchObject({ engine: 'model', cached: false });
  });
});

describe('the next best thing', () => {
  test('at the deadline: extractive where nothing is known, and the GPU is let go', async () => {
    const { state } = held();
    const from = performance.now();
    const summary = await answer(bench.ask(thread('late', 5), { deadlineMs: 300 }));
    expect(performance.now() - from).toBeLessThan(5000);
    expect(summary).toMatchObject({ engine: 'extractive', reason: 'deadline', coverage: { comments: 5 } });
    expect(state.aborted).toBe(1);
    await until('readers get it', async () => (await bench.threads.latest('late'))?.summary.reason === 'deadline');
  });

  test('at the deadline: the last good one, marked stale', async () => {
    await answer(bench.ask(thread('stale', 5)));
    held();
    const summary = await answer(bench.ask(thread('stale', 6), { deadlineMs: 300 }));
    expect(summary).toMatchObject({
      engine: 'model',
      stale: true,
      cached: true,
      reason: 'deadline',
      coverage: { comments: 5 },
    });
    expect((await bench.threads.latest('stale'))?.summary.stale).toBe(true);
  });

  test('one caller that leaves does not end it for another; the last one does', async () => {
    const { state, release } = held();
    const leaving = [new AbortController(), new AbortController()];
    const begun = await Promise.all(
      leaving.map(({ signal }) => bench.ask(thread('left', 5), {}, { waiter: { signal } })),
    );
    const results = begun.map((one) => (one.kind === 'running' ? one.result : null));
    await until('it is being made', () => bench.begun === 1);
    leaving[0]?.abort();
    expect(await results[0]).toBeNull();
    expect(state.aborted).toBe(0);
    leaving[1]?.abort();
    expect(await results[1]).toBeNull();
    expect(state.aborted).toBe(1);
    release();
  });

  test('a full queue is refused with the time to come back', async () => {
    bench.full = true;
    expect(await bench.ask(thread('full', 5))).toEqual({ kind: 'refused', reason: 'full', retryAfterMs: 1500 });
  });
});

describe('moderation while it is made', () => {
  const secret = comment(2, { text: 'The word Zanzibar stands in this remark, which is long enough to be quoted.' });
  const told = (id: string) => ({ id, comments: [comment(1), secret, comment(3)] });
  const moderated = (id: string) => ({ id, comments: [comment(1), comment(3)] });

  test('breaks it off; neither its waiter nor the store gets those words', async () => {
    const { state } = held();
    const first = bench.ask(told('broken'));
    await until('it is being made', () => bench.begun === 1);
    bench.make = async (assignment) => made(assignment);
    await answer(bench.ask(moderated('broken')));
    expect(state.aborted).toBe(1);
    const late = await answer(first);
    expect(late).toMatchObject({ reason: 'superseded' });
    expect(JSON.stringify(late)).not.toContain('Zanzibar');
    expect(JSON.stringify(await bench.threads.latest('broken'))).not.toContain('Zanzibar');
  });

  test('a removed thread does not come back by a late result', async () => {
    const { release } = held();
    const first = bench.ask(told('removed'));
    await until('it is being made', () => bench.begun === 1);
    await bench.threads.remove('removed', Date.now());
    release();
    expect((await answer(first)).reason).toBe('superseded');
    expect(await bench.threads.latest('removed')).toBeNull();
  });

  test('a copy of a removed thread that was on its way brings nothing of it back, new comments are free', async () => {
    await answer(bench.ask(told('copied')));
    await bench.threads.remove('copied', Date.now());
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await bench.ask(told('copied'))).toMatchObject({ kind: 'refused', reason: 'no-comments' });
    expect(await bench.ask(moderated('copied'))).toMatchObject({ kind: 'refused', reason: 'no-comments' });
    expect(await bench.threads.latest('copied')).toBeNull();
    const summary = await answer(bench.ask({ id: 'copied', comments: [...told('copied').comments, comment(4)] }));
    expect(summary.coverage.comments).toBe(1);
    expect(JSON.stringify(summary)).not.toContain('Zanzibar');
  });

  test('an older request that comes late changes nothing, and is not stored', async () => {
    const earlier = Date.now() - 5000;
    await answer(bench.ask(moderated('order')));
    const summary = await answer(bench.ask(told('order'), {}, { acceptedAt: earlier }));
    expect(summary.coverage.comments).toBe(3);
    expect((await bench.threads.latest('order'))?.summary).toMatchObject({ stale: false, coverage: { comments: 2 } });
  });

  test('an edit holds the earlier words off every request from before it', async () => {
    const earlier = Date.now() - 5000;
    await answer(bench.ask(told('edited')));
    const edited = { ...secret, text: 'Never mind what stood here before.', editedAt: new Date().toISOString() };
    await answer(bench.ask({ id: 'edited', comments: [comment(1), edited, comment(3)] }));
    const late = await answer(bench.ask(told('edited'), {}, { acceptedAt: earlier }));
    expect(JSON.stringify(late)).not.toContain('Zanzibar');
  });
});

test('a store that fails costs the label, not the answer', async () => {
  const other = await startBench();
  await other.lose();
  const summary = await answer(other.ask(thread('storeless', 5)));
  expect(summary).toMatchObject({ engine: 'model', reason: 'not-stored' });
  expect(other.stumbles.length).toBeGreaterThan(0);
  await other.stop();
}, 30_000);

describe('moderation while it waits for its turn', () => {
  const limits = { slots: 1, max: 10, perCaller: 10, waitersMax: 100, ageMs: 30_000 };
  const told = (id: string) => ({
    id,
    comments: [
      comment(1),
      comment(2, { text: 'The word Zanzibar stands in this remark, which is long enough to quote.' }),
    ],
  });

  /** A thread told of twice, the second time behind another generation in the queue; what its reader hears and its model is asked. */
  async function queued(known: boolean) {
    const one = await startBench(new GenerationQueue({ limits, now: Date.now }));
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    if (known) await answer(one.ask(thread('queued', 1)));
    const asked: string[] = [];
    const heard: string[] = [];
    one.make = async (assignment, _signal, listen) => {
      if (assignment.thread.id === 'busy') await gate;
      const { summary, record } = made(assignment);
      asked.push(summary.summary);
      listen('text', { delta: summary.summary });
      return { summary, record };
    };
    const busy = answer(one.ask(thread('busy', 1)));
    await until('the model is busy', () => one.begun === (known ? 2 : 1));
    const listen: Listen = (event, data) => void (event === 'text' && heard.push(JSON.stringify(data)));
    const waiting = await one.ask(told('queued'), {}, { waiter: { listen } });
    return { one, asked, heard, waiting, busy, open };
  }

  test.each([
    ['by this bridge', true, true],
    ['by this bridge, of a thread nobody knew', false, true],
    ['by another bridge', true, false],
    ['by another bridge, of a thread nobody knew', false, false],
  ])(
    'neither the model nor a reader gets words removed %s',
    async (_name, known, own) => {
      const { one, asked, heard, waiting, busy, open } = await queued(known);
      const removing = one.threads.removeComment('queued', 'c2', Date.now());
      if (own) one.service.supersede('queued', removing);
      const early = own ? await answer(waiting) : null;
      await removing;
      open();
      await busy;
      const late = early ?? (await answer(waiting));
      expect(late).toMatchObject({ reason: 'superseded', coverage: { comments: 1 } });
      expect(asked.length).toBe(1);
      for (const words of [late, heard, await one.threads.latest('queued')])
        expect(JSON.stringify(words)).not.toContain('Zanzibar');
      await one.stop();
    },
    30_000,
  );
});

test('requests with the same edit, at once, are one generation', async () => {
  await answer(bench.ask(thread('together', 3)));
  bench.begun = 0;
  const edited = { id: 'together', comments: [comment(1, { text: 'Something else.' }), comment(2), comment(3)] };
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(bench.ask(edited))));
  expect(bench.begun).toBe(1);
  expect(new Set(answers.map(({ engine, reason }) => `${engine} ${reason}`))).toEqual(new Set(['model undefined']));
});
