import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/program.ts';
import { table } from '../support/table.ts';
import { bridge } from './bridge.ts';
import { bundle } from './bundle.ts';
import { hot } from './hot.ts';
import { hasWrk, type Target } from './load.ts';
import { machine, machineText } from './machine.ts';
import { miss } from './miss.ts';
import { type Bench, type BenchOptions, type Goal, type Outcome, type Scenario, UNMEASURED } from './scenario.ts';
import { liveInvalidations, storedPages } from './stored.ts';
import { summaries } from './summaries.ts';
import { startOrigin } from './targets.ts';

const SCENARIOS: Record<string, Scenario> = {
  hot,
  miss,
  pages: storedPages,
  invalidations: liveInvalidations,
  bundle,
  bridge,
  summaries,
};

const USAGE = `npm run bench -- [--rounds 7] [--seconds 3] [--connections 32] [--only ${Object.keys(SCENARIOS).join(',')}]

Measures the edge beside other caches, and the bridge with its summaries, on this machine, all in one run, in turn. Writes bench/results.json.`;

const OPTIONS = {
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '3' },
  connections: { type: 'string', default: '32' },
  only: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`--${name} must be a whole number from 1 to ${most}, not ${text}`);
}

function chosen(only: string | undefined): [string, Scenario][] {
  const names = only?.split(',') ?? Object.keys(SCENARIOS);
  return names.map((name) => {
    const scenario = SCENARIOS[name];
    if (scenario === undefined)
      throw new Error(`--only: no scenario ${name}; there are ${Object.keys(SCENARIOS).join(', ')}`);
    return [name, scenario];
  });
}

const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs one scenario with servers of its own, and stops them whatever happens. */
async function perform(scenario: Scenario, options: BenchOptions, missing: Set<string>): Promise<Outcome> {
  const running: Target[] = [];
  const origin = await startOrigin(options.bytes);
  running.push(origin);
  const start: Bench['start'] = async (name, begin) => {
    note(`starting ${name}`);
    try {
      const target = await begin();
      running.push(target);
      return target;
    } catch (error) {
      missing.add(name);
      note(`not measured: ${name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  try {
    return await scenario({ options, origin, note, start });
  } finally {
    for (const target of running.reverse()) await target.stop();
  }
}

function goalTable(goals: Goal[]): string {
  return table(
    ['goal', 'asked', 'measured', ''],
    goals.map((g) => [g.what, g.goal, g.measured, g.measured === UNMEASURED ? '' : g.met ? 'met' : 'NOT MET']),
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const options: BenchOptions = {
    rounds: whole('rounds', values.rounds, 50),
    seconds: whole('seconds', values.seconds, 30),
    connections: whole('connections', values.connections, 256),
    bytes: 12_000,
  };
  const scenarios = chosen(values.only);
  const about = await machine();
  const generator = (await hasWrk()) ? 'wrk' : 'a Node client (install wrk for a lighter one)';
  console.log(
    `${machineText(about)}\nLoad: ${generator}, ${options.connections} connections, ${options.rounds} rounds`,
  );
  console.log(`of ${options.seconds} s each, in turn; medians.`);
  const missing = new Set<string>();
  const goals: Goal[] = [];
  const results: Record<string, unknown> = {};
  for (const [name, scenario] of scenarios) {
    const outcome = await perform(scenario, options, missing);
    console.log(`\n${outcome.title}\n`);
    for (const { head, rows } of outcome.tables) console.log(table(head, rows));
    goals.push(...outcome.goals);
    results[name] = outcome.data;
  }
  if (goals.length > 0) console.log(`\n${goalTable(goals)}`);
  if (missing.size > 0) console.log(`\nNot measured, because it did not start: ${[...missing].join(', ')}`);
  await mkdir(join(ROOT, 'bench'), { recursive: true });
  const file = join(ROOT, 'bench', 'results.json');
  const body = { at: new Date().toISOString(), machine: about, options, results, goals, missing: [...missing] };
  await writeFile(file, `${JSON.stringify(body, null, 2)}\n`);
  console.log('\nWritten to bench/results.json');
  // A goal may be missed on a busy machine; one that could not be measured is an error.
  return goals.some((goal) => goal.measured === UNMEASURED) ? 1 : 0;
}

process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
