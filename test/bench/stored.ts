import { EDGE_TOKEN } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { sleep } from '../support/program.ts';
import { eachOf, fill, goal, growths, ours, outcome, type Pair, percents, stages, twoOf } from './growth.ts';
import type { Target } from './load.ts';
import { HOT, SMALL } from './pages.ts';
import type { Bench, Goal, Scenario } from './scenario.ts';
import { startWorker } from './targets.ts';

const PAGES = [10, 1000, 10_000] as const;
const INVALIDATIONS = [0, 100, 500] as const;

const ONE = 'one hot page';
const ALL_IN_MEMORY = 'all in turn, in memory';
const BEYOND_MEMORY = 'all in turn, 12 kB each';
/** What a table costs that has no rules at all: how far the machine's own memory is away. */
const PLAIN_MAP = 'all in turn, a plain Map';

const pathsOf = (folder: string, count: number) => Array.from({ length: count }, (_, i) => `${folder}page-${i}`);

/**
 * All pages in turn: no two requests touch the same memory, so a table without any rules slows down as well, from the processor's
 * caches alone. What is asked is that nothing comes on top of that.
 */
function beyondMap(own: number[], plain: number[], label: string): Goal {
  const over = own.map((growth, n) => (1 + growth) / (1 + (plain[n] ?? Number.NaN)) - 1);
  return goal(label, over, ` (ours ${percents(own)}; the Map ${percents(plain)})`);
}

async function pairsOf(bench: Bench): Promise<{ pairs: Pair[]; large: Pair | undefined }> {
  const ORIGIN = `http://127.0.0.1:${bench.origin.port}`;
  const large = await twoOf(bench, 'Porchlight', ours(bench));
  const small = await twoOf(bench, 'Porchlight, small', ours(bench));
  const plain = await twoOf(bench, 'Map', (label) => startWorker(label, 'map.ts', { ORIGIN }));
  const inTurn = (size: number) => pathsOf(SMALL, size);
  const pairs: Pair[] = [];
  if (large) pairs.push({ what: ONE, ...large, paths: () => [HOT] });
  if (small) pairs.push({ what: ALL_IN_MEMORY, ...small, paths: inTurn });
  if (plain) pairs.push({ what: PLAIN_MAP, ...plain, paths: inTurn });
  return {
    pairs,
    large: large && { what: BEYOND_MEMORY, ...large, paths: (size) => pathsOf('/posts/', size) },
  };
}

/**
 * What a hit costs as the number of stored pages grows: one hot page among them, and all of them in turn, once in a size of which
 * ten thousand fit into an isolate's memory, once in one of which they do not (120 MB; a Worker may use 128 MB in all), so that
 * most come from the Cache API.
 */
export const storedPages: Scenario = async (bench) => {
  const { pairs, large } = await pairsOf(bench);
  const grow = (target: Target, { what }: Pair, size: number): Promise<void> =>
    fill(target, [HOT, ...pathsOf(what === ONE ? '/posts/' : SMALL, size)]);
  const measured = await stages(bench, pairs, PAGES, grow);
  // All of them are stored by now: what many pages leave to do must not weigh on the hot one.
  if (large) measured.push(...(await stages(bench, [large], [10, 10_000], async () => {})));
  const label = 'cost of a hit at 1,000 and 10,000 pages over 10';
  const [own, plain] = [growths(measured, ALL_IN_MEMORY), growths(measured, PLAIN_MAP)];
  const goals = [
    goal(`${label}: ${ONE}`, growths(measured, ONE)),
    beyondMap(own, plain, `the same, ${ALL_IN_MEMORY}, on top of what a plain Map of the same pages costs more`),
  ];
  return outcome('Cost of a hit by number of stored pages', 'stored', measured, goals);
};

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

/** What a hit costs as the number of live invalidations grows, none of which concerns the page. */
export const liveInvalidations: Scenario = async (bench) => {
  const two = await twoOf(bench, 'Porchlight', ours(bench));
  const grow = async (target: Target, _pair: Pair, count: number): Promise<void> => {
    await fill(target, [HOT]);
    await invalidate(target, count);
    // Longer than any snapshot of the ledger is trusted.
    await sleep(6000);
  };
  const measured = two ? await stages(bench, [{ what: ONE, ...two, paths: () => [HOT] }], INVALIDATIONS, grow) : [];
  const goals = [goal('cost of a hit beside 100 and 500 live invalidations over none', growths(measured, ONE))];
  return outcome('Cost of a hit by number of live invalidations', 'live', measured, goals);
};
