import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JobRunner, type JobRunnerParts } from '../../bridge/summaries/jobs.ts';
import { JobStore } from '../../bridge/summaries/store/jobs.ts';
import { type Job, SummaryOptions, type Thread } from '../../shared/contract/summary.ts';
import { until } from '../support/bridge.ts';
import { type Bench, made, startBench } from '../support/summary-service.ts';
import { comment, thread } from '../support/threads.ts';

let bench: Bench;
let store: JobStore;
const runners: JobRunner[] = [];
beforeAll(async () => {
  bench = await startBench();
  store = new JobStore(bench.database, 'jobs');
}, 60_000);
afterAll(() => bench.stop());
beforeEach(() => {
  bench.make = async (assignment) => made(assignment);
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop();
});

const accept = (id: string, of: Thread) =>
  store.accept({
    ...{ id, caller: 'token:test', digest: id, threadId: of.id, priority: 'background', acceptedAt: new Date() },
    body: JSON.stringify({ thread: of, options: { priority: 'background' } }),
  });
async function work(given: Partial<JobRunnerParts> = {}): Promise<void> {
  const runner = new JobRunner({
    ...{ store, service: bench.service, source: null, concurrency: 1, now: Date.now, random: () => 0 },
    ...{ settled: () => {}, stumbled: (error) => void bench.stumbles.push(error), ...given },
  });
  runners.push(runner);
  await runner.start();
}
const ended = (id: string): Promise<Job> =>
  until(`the end of ${id}`, async () => {
    const job = await store.read(id);
    return job !== null && (job.state === 'done' || job.state === 'failed') && job;
  });

/** The process that had claimed the job is killed. */
async function kill(): Promise<void> {
  await new JobStore(bench.database, 'next').start();
}

describe('a job during whose work the process was killed', () => {
  const claimed = async (times: number, reached: boolean, id: string) => {
    for (let time = 0; time < times; time++) {
      expect((await store.claim())?.id).toBe(id);
      if (reached) await store.progress(id, { phase: 'writing', done: 0, total: 1 });
      await kill();
    }
  };

  test('before its turn came, is made all the same', async () => {
    await accept('job-killed-early', thread('killed-early', 4));
    await claimed(7, false, 'job-killed-early');
    await work();
    expect(await ended('job-killed-early')).toMatchObject({
      state: 'done',
      summary: { engine: 'model', cached: false },
    });
  });

  test('while the model worked on it, five times, ends with sentences of its thread', async () => {
    await accept('job-killed', thread('killed', 4));
    await claimed(5, true, 'job-killed');
    bench.begun = 0;
    await work();
    const job = await ended('job-killed');
    expect(job).toMatchObject({ state: 'done', error: null, summary: { engine: 'extractive', reason: 'gave-up' } });
    expect(job.summary?.coverage.comments).toBe(4);
    expect(bench.begun).toBe(0);
  });

  test('and whose thread has a good summary, ends with that', async () => {
    const first = await bench.ask(thread('killed-kept', 4));
    if (first.kind === 'running') await first.result;
    await accept('job-killed-kept', thread('killed-kept', 5));
    await claimed(5, true, 'job-killed-kept');
    await work();
    const { summary } = await ended('job-killed-kept');
    expect(summary).toMatchObject({ engine: 'model', stale: true, reason: 'gave-up', coverage: { comments: 4 } });
  });

  test('four times, has one attempt more', async () => {
    await accept('job-killed-four', thread('killed-four', 4));
    await claimed(4, true, 'job-killed-four');
    await work();
    expect(await ended('job-killed-four')).toMatchObject({ state: 'done', summary: { engine: 'model' } });
  });

  test('before anything came of it, again and again, is given up at last', async () => {
    await accept('job-poison', thread('poison', 4));
    await claimed(40, false, 'job-poison');
    await work();
    expect(await ended('job-poison')).toMatchObject({ state: 'failed', error: { code: 'gave-up' } });
  });
});

test('an orderly end costs a job nothing, whoever asks sees that it is queued', async () => {
  await accept('job-orderly', thread('orderly', 3));
  for (let time = 0; time < 3; time++) {
    expect(await store.claim()).toMatchObject({ attempts: 0, claims: 1 });
    expect((await store.read('job-orderly'))?.progress).toEqual({ phase: 'queued', done: 0, total: 0 });
    await store.progress('job-orderly', { phase: 'writing', done: 0, total: 1 });
    await store.release(['job-orderly']);
  }
  await store.claim();
  await store.progress('job-orderly', { phase: 'writing', done: 0, total: 1 });
  await store.postpone('job-orderly', 0, true);
  await until('it may be claimed', async () => (await store.claim())?.attempts === 1);
  await store.fail('job-orderly', { code: 'x', message: 'x' }, new Date());
});

const secret = comment(2, { text: 'The word Zanzibar stands in this remark, which is long enough to be quoted.' });
const told = (id: string) => ({ id, comments: [comment(1), secret, comment(3)] });

test('a summary that was found ready is not written into a job after a comment of it was removed', async () => {
  const first = await bench.ask(told('late'));
  if (first.kind === 'running') await first.result;
  await accept('job-late', told('late'));
  let removals = 0;
  const begin: Bench['service']['begin'] = async (ask, waiter) => {
    const began = await bench.service.begin(ask, waiter);
    if (removals++ === 0) await bench.threads.removeComment('late', 'c2', Date.now());
    return began;
  };
  await work({ service: { begin, nextBest: (...given) => bench.service.nextBest(...given) } });
  const job = await ended('job-late');
  expect(job).toMatchObject({ state: 'done', summary: { coverage: { comments: 2 } } });
  expect(JSON.stringify(job)).not.toContain('Zanzibar');
});

test('a job is settled by the state of its thread that its summary is of, and by its own bridge alone', async () => {
  const { summary } = made({ thread: thread('moved', 3), options: SummaryOptions.parse({}), record: null });
  const now = new Date();
  await bench.ask(thread('moved', 3));
  await accept('job-moved', thread('moved', 3));
  await store.claim();
  expect(await new JobStore(bench.database, 'another').settle('job-moved', summary, 0, now)).toBe(false);
  expect(await store.settle('job-moved', summary, 1, now)).toBe(false);
  expect(await store.settle('job-moved', summary, 0, now)).toBe(true);
  expect(await store.settle('job-moved', summary, 0, now)).toBe(false);
  expect(await store.postpone('job-moved', 0, true)).toBe(false);
  expect((await store.read('job-moved'))?.state).toBe('done');
});
