import { Agent } from 'node:http';
import { get } from '../support/http.ts';
import { startAll } from './hot.ts';
import type { Target } from './load.ts';
import type { Scenario } from './scenario.ts';
import { median, quantile, round } from './stats.ts';

const ASKED = 300;
const WARM_UP = 30;

/** One page after another that was never asked for, on a connection kept alive; the way to the origin for comparison. */
export const miss: Scenario = async (bench) => {
  const caches = (await startAll(bench)).filter((target) => target.name !== 'constant Worker');
  const targets: Target[] = [{ ...bench.origin, name: 'origin, asked directly' }, ...caches];
  const agents = targets.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const times = targets.map((): number[] => []);
  const whole = targets.map((): number[] => []);
  for (let n = -WARM_UP; n < ASKED; n += 1) {
    for (const [i, target] of targets.entries()) {
      const agent = agents[i];
      const answer = await get(target.port, `/miss/${n}`, agent === undefined ? {} : { agent });
      if (answer.status !== 200) throw new Error(`${target.name}: a miss answered ${answer.status}`);
      if (n < 0) continue;
      times[i]?.push(answer.firstByteMs);
      whole[i]?.push(answer.totalMs);
    }
  }
  for (const agent of agents) agent.destroy();
  const direct = times[0] ?? [];
  const data = targets.map((target, i) => {
    const list = times[i] ?? [];
    return {
      name: target.name,
      p50Ms: round(median(list), 2),
      p95Ms: round(quantile(list, 0.95), 2),
      wholeP50Ms: round(median(whole[i] ?? []), 2),
      // Asked in turn: each difference is between neighbours in time.
      addedMs: i === 0 ? undefined : round(median(list.map((ms, n) => ms - (direct[n] ?? Number.NaN))), 2),
      addedP95Ms: i === 0 ? undefined : round(quantile(list, 0.95) - quantile(direct, 0.95), 2),
    };
  });
  const head = ['', 'first byte p50 ms', 'p95 ms', 'last byte p50 ms', 'added p50 ms', 'added p95 ms'];
  const rows = data.map((r) => [r.name, r.p50Ms, r.p95Ms, r.wholeP50Ms, r.addedMs, r.addedP95Ms]);
  const title = `A miss: ${ASKED} pages nobody asked for before, one after another`;
  return { title, tables: [{ head, rows }], goals: [], data };
};
