import { EDGE_TOKEN } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { sleep } from '../support/program.ts';
import { rounds, type Sample, settle, type Target } from './load.ts';
import { HOT, SMALL } from './pages.ts';
import { type Bench, type Goal, type Outcome, type Scenario, UNMEASURED } from './scenario.ts';
import { median, pairedRatio, round } from './stats.ts';
import { originCount, startOurs, startWorker } from './targets.ts';

const PAGES = [10, 1000, 10_000];
const INVALIDATIONS = [0, 100, 500, 0];
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

const slowdown = (first: Sample[], other: Sample[]): number =>
  pairedRatio(
    first.map((sample) => sample.perSecond),
    other.map((sample) => sample.perSecond),
  ) - 1;

/** By how much one hit takes longer than in the first case: of each round the ratio, of all rounds the median, of all cases the worst. */
function goal(samples: Map<Job, Sample[]>, what: string, label: string): Goal {
  const [first, ...others] = [...samples].filter(([job]) => job.what === what).map(([, list]) => list);
  if (first === undefined || others.length === 0) {
    return { what: label, goal: `within ${ALLOWED * 100} %`, measured: UNMEASURED, met: false };
  }
  const apart = others.map((other) => slowdown(first, other));
  const worst = Math.max(...apart);
  const measured = apart.map(percent).join(', ');
  return { what: label, goal: `within ${ALLOWED * 100} %`, measured, met: worst <= ALLOWED };
}

/**
 * All pages in turn: no two requests touch the same memory, so a table without any rules slows down as well, from the processor's
 * caches alone. What is asked is that nothing comes on top of that: ours over the plain Map, per round.
 */
function beyondMap(samples: Map<Job, Sample[]>, label: string): Goal {
  const of = (what: string): Sample[][] => [...samples].filter(([job]) => job.what === what).map(([, list]) => list);
  const [ours, plain] = [of(ALL_IN_MEMORY), of(PLAIN_MAP)];
  const [first, ...others] = ours;
  const [firstPlain, ...othersPlain] = plain;
  const asked = `within ${ALLOWED * 100} %`;
  if (first === undefined || firstPlain === undefined || ours.length !== plain.length)
    return { what: label, goal: asked, measured: UNMEASURED, met: false };
  const over = (sample: Sample, n: number, list: Sample[]): number =>
    sample.perSecond / (list[n]?.perSecond ?? Number.NaN);
  const base = first.map((sample, n) => over(sample, n, firstPlain));
  const apart = others.map((list, n) => {
    const map = othersPlain[n] ?? [];
    return (
      pairedRatio(
        base,
        list.map((sample, at) => over(sample, at, map)),
      ) - 1
    );
  });
  const raw = (lists: Sample[][], from: Sample[]): string =>
    lists.map((list) => percent(slowdown(from, list))).join(', ');
  const measured = `${apart.map(percent).join(', ')} (ours ${raw(others, first)}; the Map ${raw(othersPlain, firstPlain)})`;
  return { what: label, goal: asked, measured, met: Math.max(...apart) <= ALLOWED };
}

const percent = (share: number): string => `${share > 0 ? '+' : ''}${round(share * 100, 1)} %`;

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

const ONE = 'one hot page';
const ALL_IN_MEMORY = 'all in turn, in memory';
const BEYOND_MEMORY = 'all in turn, 12 kB each';
/** What a table costs that has no rules at all: how far the machine's own memory is away. */
const PLAIN_MAP = 'all in turn, a plain Map';
/** The smallest number once more: what two equal cases differ by is noise. */
const CONTROL = PAGES[0] ?? 0;

async function storing(bench: Bench, count: number, label: string, folder: string): Promise<Target | undefined> {
  return filled(bench, await begin(bench, label), label, [HOT, ...pathsOf(folder, count)]);
}

const storingPlainly = async (bench: Bench, count: number, label: string): Promise<Target | undefined> => {
  const ORIGIN = `http://127.0.0.1:${bench.origin.port}`;
  const target = await bench.start(`Map, ${label}`, () => startWorker(`Map, ${label}`, 'map.ts', { ORIGIN }));
  return filled(bench, target, label, pathsOf(SMALL, count));
};

async function filled(
  bench: Bench,
  target: Target | undefined,
  label: string,
  paths: string[],
): Promise<Target | undefined> {
  if (target === undefined) return undefined;
  bench.note(`storing ${label}`);
  await fill(target, paths);
  // What is left to do after so many pages, in the background, is not the cost of a hit.
  await settle(target);
  return target;
}

const pathsOf = (folder: string, count: number) => Array.from({ length: count }, (_, i) => `${folder}page-${i}`);

/**
 * What a hit costs as the number of stored pages grows: one hot page among them, and all of them in turn, once in a size of which
 * ten thousand fit into an isolate's memory, once in one of which they do not (120 MB; a Worker may use 128 MB in all), so that
 * most come from the Cache API.
 */
export const storedPages: Scenario = async (bench) => {
  const jobs: Job[] = [];
  const cases = [...PAGES.map((count) => [count, `${count} pages`] as const), [CONTROL, 'control'] as const];
  for (const [count, label] of cases) {
    const large = await storing(bench, count, label, '/posts/');
    if (large) jobs.push({ target: large, paths: [HOT], case: label, what: ONE });
    if (large && label !== 'control') {
      jobs.push({ target: large, paths: pathsOf('/posts/', count), case: label, what: BEYOND_MEMORY });
    }
    const small = await storing(bench, count, `${label}, small`, SMALL);
    if (small) jobs.push({ target: small, paths: pathsOf(SMALL, count), case: label, what: ALL_IN_MEMORY });
    const plain = await storingPlainly(bench, count, label);
    if (plain) jobs.push({ target: plain, paths: pathsOf(SMALL, count), case: label, what: PLAIN_MAP });
  }
  const count = () => originCount(bench.origin);
  const samples = new Map<Job, Sample[]>();
  // One kind after the other: what many pages leave to do must not weigh on the hot one.
  for (const kinds of [[ONE], [ALL_IN_MEMORY, PLAIN_MAP], [BEYOND_MEMORY]]) {
    const some = jobs.filter((job) => kinds.includes(job.what));
    for (const [job, list] of await rounds(some, bench.options, bench.note, count)) samples.set(job, list);
  }
  const label = 'time of a hit beside 10 pages, at 1,000, 10,000 and 10 again';
  const goals = [
    goal(samples, ONE, `${label}: ${ONE}`),
    beyondMap(samples, `the same, ${ALL_IN_MEMORY}, on top of what a plain Map of the same pages takes longer`),
  ];
  return outcome('Cost of a hit by number of stored pages', 'stored', summary([...samples.keys()], samples), goals);
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
    jobs.push({ target, paths: [HOT], case: label, what: ONE });
  }
  // Longer than any snapshot of the ledger is trusted.
  await sleep(6000);
  const samples = await rounds(jobs, bench.options, bench.note, () => originCount(bench.origin));
  const rows = summary(jobs, samples);
  const goals = [goal(samples, ONE, 'time of a hit beside 0 live invalidations, at 100, 500 and 0 again')];
  return outcome('Cost of a hit by number of live invalidations', 'live', rows, goals);
};
