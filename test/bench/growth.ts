import { get } from '../support/http.ts';
import { rounds, type Sample, settle, type Target } from './load.ts';
import { type Bench, type Goal, type Outcome, UNMEASURED } from './scenario.ts';
import { median, round } from './stats.ts';
import { originCount, startOurs } from './targets.ts';

const ALLOWED = 0.1;

/** Two servers started alike: one grows from stage to stage, one stays, so that a drift of the machine, and the luck of a process, cancel out. */
export interface Pair {
  readonly what: string;
  readonly grown: Target;
  readonly still: Target;
  /** What is asked for once it has grown to `size`. */
  readonly paths: (size: number) => string[];
}

/** What was measured at one size, in the same rounds. */
export interface Stage {
  readonly what: string;
  readonly size: number;
  readonly grown: Sample[];
  readonly still: Sample[];
}

export async function eachOf<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Asks for every page once, so that it is stored. */
export async function fill(target: Target, paths: string[]): Promise<void> {
  await eachOf(paths, 8, async (path) => {
    const answer = await get(target.port, path);
    if (answer.status !== 200) throw new Error(`${target.name}: ${path} answered ${answer.status}`);
  });
}

/** Two of the kind that `begin` starts; undefined where one does not start. */
export async function twoOf(
  bench: Bench,
  name: string,
  begin: (label: string) => Promise<Target>,
): Promise<Pick<Pair, 'grown' | 'still'> | undefined> {
  const [grown, still] = [`${name}, grown`, `${name}, still`];
  const first = await bench.start(grown, () => begin(grown));
  const second = await bench.start(still, () => begin(still));
  return first && second && { grown: first, still: second };
}

export const ours =
  (bench: Bench) =>
  (label: string): Promise<Target> =>
    startOurs(label, `http://127.0.0.1:${bench.origin.port}`);

/** Lets all pairs grow to a size, then measures them in turn, then the next size. */
export async function stages(
  bench: Bench,
  pairs: Pair[],
  sizes: readonly [number, ...number[]],
  grow: (target: Target, pair: Pair, size: number) => Promise<void>,
): Promise<Stage[]> {
  const measured: Stage[] = [];
  const [first] = sizes;
  for (const pair of pairs) await grow(pair.still, pair, first);
  for (const size of sizes) {
    for (const pair of pairs) {
      bench.note(`${pair.grown.name}: growing to ${size}`);
      await grow(pair.grown, pair, size);
      // What is left to do after so much, in the background, is not the cost of a hit.
      await settle(pair.grown);
    }
    const jobs = pairs.flatMap((pair) => [
      { pair, target: pair.grown, paths: pair.paths(size) },
      { pair, target: pair.still, paths: pair.paths(first) },
    ]);
    const samples = await rounds(jobs, bench.options, bench.note, () => originCount(bench.origin));
    const of = (pair: Pair, target: Target): Sample[] =>
      [...samples].find(([job]) => job.pair === pair && job.target === target)?.[1] ?? [];
    for (const pair of pairs)
      measured.push({ what: pair.what, size, grown: of(pair, pair.grown), still: of(pair, pair.still) });
  }
  return measured;
}

/** What a hit costs: CPU time of the server, where the system tells; else the time it takes. */
const cost = ({ cpuMicros, perSecond }: Sample): number => cpuMicros ?? 1e6 / perSecond;

/** By how much the one that has grown costs more than the one that has not. What disturbs one sample is over by the next: no pairs. */
const apart = ({ grown, still }: Stage): number => median(grown.map(cost)) / median(still.map(cost));

/** By how much a hit costs more at each size than at the first. */
export function growths(measured: Stage[], what: string): number[] {
  const [first, ...others] = measured.filter((stage) => stage.what === what);
  return first === undefined ? [] : others.map((stage) => apart(stage) / apart(first) - 1);
}

/** @param growth by how much more a hit costs at each size; the worst counts. */
export function goal(label: string, growth: number[], more = ''): Goal {
  const asked = `within ${ALLOWED * 100} %`;
  if (growth.length === 0) return { what: label, goal: asked, measured: UNMEASURED, met: false };
  return { what: label, goal: asked, measured: `${percents(growth)}${more}`, met: Math.max(...growth) <= ALLOWED };
}

export const percents = (shares: number[]): string =>
  shares.map((share) => `${share > 0 ? '+' : ''}${round(share * 100, 1)} %`).join(', ');

export function outcome(title: string, unit: string, measured: Stage[], goals: Goal[]): Outcome {
  const head = [unit, 'pages asked for', 'requests/s', 'p50 ms', 'p99 ms', 'CPU us/request', 'misses', 'errors'];
  const rows = measured.flatMap(({ what, size, grown, still }) => [
    [size, what, ...cells(grown)],
    ['still', what, ...cells(still)],
  ]);
  return { title, tables: [{ head, rows }], goals, data: measured };
}

function cells(list: Sample[]) {
  const cpu = round(median(list.map((s) => s.cpuMicros ?? Number.NaN)));
  return [
    round(median(list.map((s) => s.perSecond))),
    round(median(list.map((s) => s.p50Micros)) / 1000, 2),
    round(median(list.map((s) => s.p99Micros)) / 1000, 2),
    Number.isNaN(cpu) ? undefined : cpu,
    list.reduce((sum, s) => sum + (s.originRequests ?? 0), 0),
    list.reduce((sum, s) => sum + s.errors, 0),
  ];
}
