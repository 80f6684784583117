import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEdge } from '../support/edge.ts';
import { freePorts } from '../support/ports.ts';
import { accepts, poll, startProgram } from '../support/program.ts';
import { DEVIATIONS, FLOORS } from './deviations.ts';
import { accepted, judge, tally } from './judge.ts';
import { obtainSuite } from './obtain.ts';
import { type Column, groupTable, judgementText } from './report.ts';
import { loadSuite, type Results, type Suite } from './suite.ts';

const USAGE = `npm run conformance -- [--suite DIR] [--base URL] [--json FILE] [--id TEST]

Runs the public suite http-tests/cache-tests against the edge, or against the cache at --base.
  --suite DIR   a clone of the suite; without it the older edition from npm is used
  --base URL    a running cache in front of the suite's server; needs --port
  --port N      port of the suite's server (default: a free one)
  --json FILE   also writes every result to FILE
  --id TEST     runs one test and prints every message`;

const OPTIONS = {
  suite: { type: 'string' },
  base: { type: 'string' },
  port: { type: 'string' },
  json: { type: 'string' },
  id: { type: 'string' },
  help: { type: 'boolean' },
} as const;

type Cleanup = () => Promise<unknown>;

function progress(total: number): (done: number) => void {
  let shown = -1;
  return (done) => {
    const step = process.stderr.isTTY ? done : Math.floor((done / total) * 10);
    if (step === shown) return;
    shown = step;
    process.stderr.write(process.stderr.isTTY ? `\r${done} of ${total} tests ` : `${done} of ${total} tests\n`);
  };
}

async function startServer(suite: Suite, port: number, cleanups: Cleanup[]): Promise<void> {
  const temp = await mkdtemp(join(tmpdir(), 'porchlight-conformance-'));
  cleanups.push(() => rm(temp, { recursive: true, force: true }));
  const env = {
    npm_config_protocol: 'http',
    npm_config_port: String(port),
    npm_config_pidfile: join(temp, 'server.pid'),
  };
  const server = startProgram('node', [suite.serverScript], { cwd: suite.dir, env });
  cleanups.push(server.stop);
  if (!(await poll(() => accepts(port), 20_000))) {
    throw new Error(`the suite's server does not listen on port ${port}\n${server.logs()}`);
  }
}

async function measure(suite: Suite, options: { base?: string; port?: string; id?: string }, cleanups: Cleanup[]) {
  let logs = () => '';
  const port = options.port === undefined ? await freePorts() : Number(options.port);
  await startServer(suite, port, cleanups);
  let base = options.base?.replace(/\/$/, '');
  if (base === undefined) {
    const edge = await startEdge({ origin: `http://127.0.0.1:${port}`, forward: 'all' });
    cleanups.push(edge.stop);
    base = edge.url();
    logs = edge.logs;
  }
  const started = performance.now();
  const results = await suite.run(base, options.id, progress(suite.ids.length));
  process.stderr.write(
    `\n${Object.keys(results).length} tests in ${Math.round(performance.now() - started) / 1000} s\n`,
  );
  return { results, logs: logs() };
}

async function report(suite: Suite, results: Results, name: string, json: string | undefined): Promise<boolean> {
  const verdicts = suite.verdicts(results);
  const others: Column[] = (await suite.published()).map((p) => ({
    name: p.name,
    verdicts: suite.verdicts(p.results),
  }));
  const judgement = judge(verdicts, DEVIATIONS[suite.edition], FLOORS[suite.edition]);
  const { check } = tally(verdicts);
  console.log(`http-tests/cache-tests, edition ${suite.edition}; the others as published with it\n`);
  console.log(groupTable([{ name, verdicts }, ...others]));
  console.log(`\n${check.passed} of ${check.total} checks (behaviours without a right answer) are answered yes.`);
  console.log(judgementText(judgement, others));
  if (json !== undefined) {
    const totals = Object.fromEntries(others.map((o) => [o.name, tally(o.verdicts)]));
    const body = { edition: suite.edition, totals: { [name]: tally(verdicts), ...totals }, judgement, verdicts };
    await writeFile(json, `${JSON.stringify(body, null, 2)}\n`);
  }
  return accepted(judgement);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  if (values.base !== undefined && values.port === undefined) {
    throw new Error('--base needs --port: the port on which that cache expects the suite server');
  }
  const cleanups: Cleanup[] = [];
  const interrupted = () => process.exit(130);
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const dir = values.suite === undefined ? await obtainSuite() : resolve(values.suite);
    if (values.suite === undefined) cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const suite = await loadSuite(dir);
    const { results, logs } = await measure(suite, values, cleanups);
    if (values.id !== undefined) {
      const verdict = suite.verdicts(results, false).find((v) => v.id === values.id);
      console.log(`${values.id}: ${verdict?.outcome ?? 'no result'}${verdict?.message ? ` - ${verdict.message}` : ''}`);
      return verdict?.outcome === 'pass' || verdict?.outcome === 'yes' ? 0 : 1;
    }
    const name = values.base === undefined ? 'Porchlight' : 'at --base';
    if (await report(suite, results, name, values.json)) return 0;
    console.error(`\nThe edge said last:\n${logs.slice(-4000)}`);
    return 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
