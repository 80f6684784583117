import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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
  await work({ service: { begin } });
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
