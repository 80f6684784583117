import { get } from '../support/http.ts';
import { rounds, type Sample, type Target } from './load.ts';
import { HOT } from './pages.ts';
import { type Bench, type Goal, type Outcome, type Scenario, UNMEASURED } from './scenario.ts';
import { median, pairedRatio, round } from './stats.ts';
import { originCount, startNginx, startOurs, startVarnish, startWorker } from './targets.ts';

const OURS = 'Porchlight';
const GOALS = [
  { over: 'constant Worker', least: 0.85 },
  { over: 'bare Cache API Worker', least: 2.2 },
  { over: 'Hono cache middleware', least: 2.2 },
];

/** All of them in front of one origin; the constant gets as many header fields as our answer has. */
export async function startAll(bench: Bench): Promise<Target[]> {
  const origin = `http://127.0.0.1:${bench.origin.port}`;
  const env = { ORIGIN: origin };
  const ours = await bench.start(OURS, () => startOurs(OURS, origin));
  const sampled = await get((ours ?? bench.origin).port, HOT);
  const fields = { BYTES: String(bench.options.bytes), HEADERS: String(sampled.rawHeaders.length) };
  const all = [
    await bench.start('constant Worker', () => startWorker('constant Worker', 'constant.ts', fields)),
    await bench.start('bare Cache API Worker', () => startWorker('bare Cache API Worker', 'cache-api.ts', env)),
    await bench.start('Hono cache middleware', () => startWorker('Hono cache middleware', 'hono.ts', env)),
    ours,
    await bench.start('nginx proxy_cache', () => startNginx(bench.origin.port)),
    await bench.start('Varnish', () => startVarnish(bench.origin.port)),
  ];
  return all.filter((target) => target !== undefined);
}

function goals(perSecond: Map<string, number[]>): Goal[] {
  const ours = perSecond.get(OURS);
  return GOALS.map(({ over, least }) => {
    const theirs = perSecond.get(over);
    const ratio = ours && theirs ? pairedRatio(ours, theirs) : Number.NaN;
    const measured = Number.isNaN(ratio) ? UNMEASURED : `${round(ratio, 2)}x`;
    return { what: `hot hit over ${over}`, goal: `at least ${least}x`, measured, met: ratio >= least };
  });
}

/** One stored page, asked for again and again. */
export const hot: Scenario = async (bench) => {
  const targets = await startAll(bench);
  const jobs = targets.map((target) => ({ target, paths: [HOT] }));
  const samples = await rounds(jobs, bench.options, bench.note, () => originCount(bench.origin));
  const perSecond = new Map(jobs.map((job) => [job.target.name, (samples.get(job) ?? []).map((s) => s.perSecond)]));
  const ours = perSecond.get(OURS);
  const of = (list: Sample[], key: 'p50Micros' | 'p99Micros' | 'cpuMicros' | 'errors') =>
    median(list.map((s) => s[key] ?? Number.NaN));
  const rows = jobs.map((job) => {
    const list = samples.get(job) ?? [];
    const rate = perSecond.get(job.target.name) ?? [];
    return {
      name: job.target.name,
      perSecond: round(median(rate)),
      lowest: round(Math.min(...rate)),
      highest: round(Math.max(...rate)),
      p50Ms: round(of(list, 'p50Micros') / 1000, 2),
      p99Ms: round(of(list, 'p99Micros') / 1000, 2),
      cpuMicros: round(of(list, 'cpuMicros')),
      ours: ours === undefined ? undefined : round(pairedRatio(ours, rate), 2),
      startMs: round(job.target.startMs),
      misses: list.reduce((sum, s) => sum + (s.originRequests ?? 0), 0),
      errors: list.reduce((sum, s) => sum + s.errors, 0),
    };
  });
  const shown = rows.map((r) => [
    r.name,
    r.perSecond,
    `${r.lowest}-${r.highest}`,
    r.p50Ms,
    r.p99Ms,
    Number.isNaN(r.cpuMicros) ? undefined : r.cpuMicros,
    r.ours === undefined ? undefined : `${r.ours}x`,
    r.startMs,
    r.misses,
    r.errors,
  ]);
  const head = [
    '',
    'requests/s',
    'range',
    'p50 ms',
    'p99 ms',
    'CPU us/request',
    'ours over it',
    'start ms',
    'misses',
    'errors',
  ];
  const title = `Hot hit: one stored page of ${bench.options.bytes} bytes`;
  return { title, tables: [{ head, rows: shown }], goals: goals(perSecond), data: rows } satisfies Outcome;
};
