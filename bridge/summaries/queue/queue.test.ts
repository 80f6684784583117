import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEAF as deaf, type Task, type Waiters } from '../parts.ts';
import type { Listen, Priority } from '../types.ts';
import type { QueueLimits } from './policy.ts';
import { GenerationQueue } from './queue.ts';

const LIMITS: QueueLimits = { slots: 1, max: 100, perCaller: 100, waitersMax: 5000, ageMs: 60_000 };
/** Long enough for every promise that is due. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A model on a stage: each generation ends when it is told to. */
class Stage {
  now = 0;
  running = 0;
  most = 0;
  readonly began: string[] = [];
  readonly aborted: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly queue: GenerationQueue;

  constructor(limits: Partial<QueueLimits> = {}) {
    this.queue = new GenerationQueue({ limits: { ...LIMITS, ...limits }, now: () => this.now });
  }

  task(key: string, options: { caller?: string; priority?: Priority } = {}): Task<string> {
    return {
      key,
      caller: options.caller ?? 'blog',
      priority: options.priority ?? 'interactive',
      deadlineAt: 1e9,
      run: (signal) =>
        new Promise((resolve, reject) => {
          this.began.push(key);
          this.running += 1;
          this.most = Math.max(this.most, this.running);
          const end = (settle: () => void) => () => {
            this.running -= 1;
            this.#ends.delete(key);
            settle();
          };
          this.#ends.set(
            key,
            end(() => resolve(`summary of ${key}`)),
          );
          signal.addEventListener('abort', () => {
            this.aborted.push(key);
            end(() => reject(signal.reason))();
          });
        }),
    };
  }

  async end(ms = 1000): Promise<void> {
    this.now += ms;
    const [first] = this.#ends.values();
    first?.();
    await turn();
  }
}

function granted<T>(submitted: { ok: boolean } & T): Extract<T, { ok: true }> {
  expect(submitted.ok).toBe(true);
  return submitted as Extract<T, { ok: true }>;
}

test('a thousand requests for fifty threads are fifty generations, one at a time', async () => {
  const stage = new Stage();
  const results = Array.from({ length: 1000 }, (_, n) =>
    granted(stage.queue.submit(stage.task(`thread-${n % 50}`, { caller: `caller-${n % 7}` }), deaf)),
  );
  expect(stage.queue.reading).toMatchObject({ waiting: { interactive: 49, background: 0 }, running: 1 });
  for (let n = 0; n < 50; n += 1) await stage.end();
  const summaries = await Promise.all(results.map(({ result }) => result));
  expect(new Set(summaries).size).toBe(50);
  expect(stage.began).toHaveLength(50);
  expect(stage.most).toBe(1);
  expect(stage.queue.reading.running).toBe(0);
});

test('one that leaves changes nothing, the last one that leaves stops the model', async () => {
  const stage = new Stage();
  const first = granted(stage.queue.submit(stage.task('a'), deaf));
  const second = granted(stage.queue.submit(stage.task('a'), deaf));
  first.leave();
  first.leave();
  expect(stage.aborted).toEqual([]);
  second.leave();
  expect(stage.aborted).toEqual(['a']);
  await expect(second.result).rejects.toMatchObject({ reason: 'aborted' });
  // Who asks again begins anew, after the aborted one has given its slot back.
  const again = granted(stage.queue.submit(stage.task('a'), deaf));
  await turn();
  expect(stage.most).toBe(1);
  await stage.end();
  await expect(again.result).resolves.toBe('summary of a');
});

test('one that leaves before its turn is never begun', async () => {
  const stage = new Stage();
  granted(stage.queue.submit(stage.task('a'), deaf));
  granted(stage.queue.submit(stage.task('b'), deaf)).leave();
  await stage.end();
  expect(stage.began).toEqual(['a']);
  expect(stage.queue.reading).toMatchObject({ waiting: { interactive: 0 }, running: 0 });
});

test('a reader who joins background work makes it urgent', async () => {
  const stage = new Stage();
  for (const key of ['a', 'b', 'c']) stage.queue.submit(stage.task(key, { priority: 'background' }), deaf);
  stage.queue.submit(stage.task('c'), deaf);
  for (let n = 0; n < 3; n += 1) await stage.end();
  expect(stage.began).toEqual(['a', 'c', 'b']);
});

test('what is made may take as long as the one who can wait longest', async () => {
  const stage = new Stage();
  let latestAt = () => Number.NaN;
  const task = {
    ...stage.task('a'),
    deadlineAt: 1000,
    run: (_signal: AbortSignal, _emit: Listen, { deadlineAt }: Waiters) => {
      latestAt = deadlineAt;
      return new Promise<string>(() => {});
    },
  };
  stage.queue.submit(task, deaf);
  expect(latestAt()).toBe(1000);
  stage.queue.submit({ ...task, deadlineAt: 30_000 }, deaf);
  stage.queue.submit({ ...task, deadlineAt: 5000 }, deaf);
  expect(latestAt()).toBe(30_000);
});

test('who waits hears its place, who joins late hears where it stands and the text so far', async () => {
  const stage = new Stage();
  const heard: unknown[] = [];
  const listen: Listen = (event, data) => void heard.push([event, data]);
  let emit: Listen = deaf;
  const task = {
    ...stage.task('b'),
    run: (_signal: AbortSignal, say: Listen) => {
      emit = say;
      return new Promise<string>(() => {});
    },
  };
  stage.queue.submit(stage.task('a'), deaf);
  stage.queue.submit(task, listen);
  expect(heard).toEqual([['progress', { phase: 'queued', done: 0, total: 0, position: 1 }]]);
  await stage.end();
  emit('progress', { phase: 'writing', done: 1, total: 2 });
  emit('text', { delta: 'One. ' });
  emit('text', { delta: 'Two.' });
  const late: unknown[] = [];
  stage.queue.submit(task, (event, data) => void late.push([event, data]));
  expect(late).toEqual([
    ['progress', { phase: 'writing', done: 1, total: 2 }],
    ['text', { delta: 'One. Two.' }],
  ]);
});

test('it is heard while somebody listens who wants more than the answer', async () => {
  const stage = new Stage();
  let isHeard = () => true;
  const task = {
    ...stage.task('a'),
    run: (_signal: AbortSignal, _emit: Listen, waiters: Waiters) => {
      isHeard = waiters.isHeard;
      return new Promise<string>(() => {});
    },
  };
  stage.queue.submit(task, deaf);
  expect(isHeard()).toBe(false);
  const { leave } = granted(stage.queue.submit(task, () => {}));
  expect(isHeard()).toBe(true);
  leave();
  expect(isHeard()).toBe(false);
});

test('a failure reaches everyone who waits, and the next one runs', async () => {
  const stage = new Stage();
  const broken: Task<string> = { ...stage.task('a'), run: () => Promise.reject(new Error('the model fell over')) };
  const results = [stage.queue.submit(broken, deaf), stage.queue.submit(broken, deaf)].map(
    (one) => granted(one).result,
  );
  const next = granted(stage.queue.submit(stage.task('b'), deaf));
  for (const result of results) await expect(result).rejects.toThrow('fell over');
  await stage.end();
  await expect(next.result).resolves.toBe('summary of b');
});

test('a full queue says when to come back, as the model is slow or fast', async () => {
  const stage = new Stage({ max: 2, waitersMax: 4 });
  for (const key of ['a', 'b', 'c']) stage.queue.submit(stage.task(key), deaf);
  expect(stage.queue.submit(stage.task('d'), deaf)).toEqual({ ok: false, reason: 'full', retryAfterMs: 20_000 });
  expect(stage.queue.submit(stage.task('a'), deaf).ok).toBe(true);
  expect(stage.queue.submit(stage.task('a'), deaf)).toMatchObject({ ok: false, reason: 'full' });
  for (let n = 0; n < 3; n += 1) await stage.end(500);
  for (const key of ['e', 'f', 'g']) stage.queue.submit(stage.task(key), deaf);
  const refused = stage.queue.submit(stage.task('h'), deaf);
  expect(refused.ok ? 0 : refused.retryAfterMs).toBeLessThan(20_000);
});

test('never more than its slots, never more than its bounds, and everything ends', async () => {
  const submission = fc.record({
    key: fc.nat(12),
    caller: fc.constantFrom('a', 'b', 'c'),
    priority: fc.constantFrom<Priority>('interactive', 'background'),
    act: fc.constantFrom('stay', 'leave', 'end'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(submission, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (list, slots) => {
      const stage = new Stage({ slots, max: 6, perCaller: 3, waitersMax: 20 });
      for (const { key, caller, priority, act } of list) {
        const submitted = stage.queue.submit(stage.task(`k${key}`, { caller, priority }), deaf);
        if (submitted.ok) submitted.result.catch(() => {});
        if (submitted.ok && act === 'leave') submitted.leave();
        if (act === 'end') await stage.end();
        const { waiting, running } = stage.queue.reading;
        expect(waiting.interactive + waiting.background).toBeLessThanOrEqual(6);
        expect(running).toBeLessThanOrEqual(slots);
      }
      for (let n = 0; n < 80; n += 1) await stage.end();
      expect(stage.most).toBeLessThanOrEqual(slots);
      expect(stage.queue.reading).toMatchObject({ waiting: { interactive: 0, background: 0 }, running: 0 });
    }),
    { numRuns: 60 },
  );
});

test('readers wait less than background work, however it was mixed', async () => {
  const waits: Record<Priority, number[]> = { interactive: [], background: [] };
  const stage = new Stage();
  const began = (priority: Priority, waitedMs: number) => void waits[priority].push(waitedMs);
  const queue = new GenerationQueue({ limits: LIMITS, now: () => stage.now, began });
  for (let n = 0; n < 50; n += 1) {
    queue.submit(stage.task(`t${n}`, { caller: `c${n % 5}`, priority: n % 2 ? 'interactive' : 'background' }), deaf);
  }
  for (let n = 0; n < 50; n += 1) await stage.end(100);
  const p95 = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length * 0.95)] ?? Number.NaN;
  expect(p95(waits.interactive)).toBeLessThan(p95(waits.background));
});
