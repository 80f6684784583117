import { EDGE_TOKEN } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { sleep } from '../support/program.ts';
import { rounds, type Sample, type Target } from './load.ts';
import { type Bench, type Goal, type Outcome, type Scenario, UNMEASURED } from './scenario.ts';
import { median, round, spread } from './stats.ts';
import { HOT, originCount, startOurs } from './targets.ts';

const PAGES = [10, 1000, 10_000];
const INVALIDATIONS = [0, 100, 500];
const ALLOWED = 0.1;

interface Job {
  target: Target;
  paths: string[];
  case: string;
  what: string;
}

async function eachOf<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Asks for every page once, so that it is stored. */
async function fill(target: Target, paths: string[]): Promise<void> {
  await eachOf(paths, 8, async (path) => {
    const answer = await get(target.port, path);
    if (answer.status !== 200) throw new Error(`${target.name}: ${path} answered ${answer.status}`);
  });
}

async function invalidate(target: Target, count: number): Promise<void> {
  const tags = Array.from({ length: count }, (_, i) => `bench-nothing-${i}`);
  await eachOf(tags, 4, async (tag) => {
    const answer = await get(target.port, '/.porchlight/purge', {
      method: 'POST',
      headers: { Authorization: `Bearer ${EDGE_TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ tags: [tag] }),
    });
    if (answer.status >= 300) throw new Error(`the purge of ${tag} answered ${answer.status}: ${answer.text}`);
  });
}

function summary(jobs: Job[], samples: Map<Job, Sample[]>) {
  return jobs.map((job) => {
    const list = samples.get(job) ?? [];
    return {
      case: job.case,
      what: job.what,
      perSecond: round(median(list.map((s) => s.perSecond))),
      p50Ms: round(median(list.map((s) => s.p50Micros)) / 1000, 2),
      p99Ms: round(median(list.map((s) => s.p99Micros)) / 1000, 2),
      cpuMicros: round(median(list.map((s) => s.cpuMicros ?? Number.NaN))),
      misses: list.reduce((sum, s) => sum + (s.originRequests ?? 0), 0),
      errors: list.reduce((sum, s) => sum + s.errors, 0),
    };
  });
}

type Row = ReturnType<typeof summary>[number];

/** The spread of the time one hit takes, the inverse of the rate. */
function goal(rows: Row[], what: string, label: string): Goal {
  const rates = rows.filter((row) => row.what === what).map((row) => row.perSecond);
  const apart = rates.length < 2 ? Number.NaN : spread(rates);
  const measured = Number.isNaN(apart) ? UNMEASURED : `${round(apart * 100, 1)} %`;
  return { what: label, goal: `within ${ALLOWED * 100} %`, measured, met: apart <= ALLOWED };
}

function outcome(title: string, first: string, rows: Row[], goals: Goal[]): Outcome {
  const head = [first, 'pages asked for', 'requests/s', 'p50 ms', 'p99 ms', 'CPU us/request', 'misses', 'errors'];
  const cells = rows.map((r) => {
    const cpu = Number.isNaN(r.cpuMicros) ? undefined : r.cpuMicros;
    return [r.case, r.what, r.perSecond, r.p50Ms, r.p99Ms, cpu, r.misses, r.errors];
  });
  return { title, tables: [{ head, rows: cells }], goals, data: rows };
}

async function begin(bench: Bench, label: string): Promise<Target | undefined> {
  const name = `Porchlight, ${label}`;
  return bench.start(name, () => startOurs(name, `http://127.0.0.1:${bench.origin.port}`));
}

/** What a hit costs as the number of stored pages grows: one hot page, and all of them in turn. */
export const storedPages: Scenario = async (bench) => {
  const jobs: Job[] = [];
  for (const count of PAGES) {
    const label = `${count} pages`;
    const target = await begin(bench, label);
    if (target === undefined) continue;
    const paths = Array.from({ length: count }, (_, i) => `/posts/page-${i}`);
    bench.note(`storing ${label}`);
    await fill(target, [HOT, ...paths]);
    jobs.push({ target, paths: [HOT], case: label, what: 'one hot page' });
    jobs.push({ target, paths, case: label, what: 'all in turn' });
  }
  await sleep(2000);
  const count = () => originCount(bench.origin);
  // One after the other: what is left to do in the background after many pages must not weigh on the hot one.
  const hotJobs = jobs.filter((job) => job.what === 'one hot page');
  const turnJobs = jobs.filter((job) => job.what !== 'one hot page');
  const rows = [
    ...summary(hotJobs, await rounds(hotJobs, bench.options, bench.note, count)),
    ...summary(turnJobs, await rounds(turnJobs, bench.options, bench.note, count)),
  ];
  const goals = [
    goal(rows, 'one hot page', 'cost of a hit, 10 to 10,000 stored pages, one hot page'),
    goal(rows, 'all in turn', 'cost of a hit, 10 to 10,000 stored pages, all in turn'),
  ];
  return outcome('Cost of a hit by number of stored pages', 'stored', rows, goals);
};

/** What a hit costs as the number of live invalidations grows, none of which concerns the page. */
export const liveInvalidations: Scenario = async (bench) => {
  const jobs: Job[] = [];
  for (const count of INVALIDATIONS) {
    const label = `${count} invalidations`;
    const target = await begin(bench, label);
    if (target === undefined) continue;
    await fill(target, [HOT]);
    await invalidate(target, count);
    jobs.push({ target, paths: [HOT], case: label, what: 'one hot page' });
  }
  // Longer than any snapshot of the ledger is trusted.
  await sleep(6000);
  const rows = summary(jobs, await rounds(jobs, bench.options, bench.note, () => originCount(bench.origin)));
  const goals = [goal(rows, 'one hot page', 'cost of a hit, 0 to 500 live invalidations')];
  return outcome('Cost of a hit by number of live invalidations', 'live', rows, goals);
};
