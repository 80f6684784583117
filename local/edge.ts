import { describeProblems } from '../shared/site-check.ts';
import { readConfig } from '../worker/config.ts';
import { parseEdgeArguments, USAGE } from './edge-arguments.ts';
import { startEdge, workerVariables } from './miniflare.ts';

/** The edge alone: Miniflare in front of any HTTP origin. Bad arguments: every error at once, exit 1. */
async function main(): Promise<void> {
  const parsed = parseEdgeArguments(process.argv.slice(2), process.env);
  if ('help' in parsed) return void console.log(USAGE);
  if ('problems' in parsed) {
    return refuse(describeProblems('The edge command', parsed.problems));
  }
  // The Worker would refuse every request over a bad variable; here it does not even start.
  const read = readConfig(workerVariables(parsed.arguments, 'colo-1'));
  if ('error' in read) return refuse(read.error);
  const { ports, host, origin, dataDir } = parsed.arguments;
  const edge = await startEdge(parsed.arguments);
  ports.forEach((port, index) => {
    console.log(`edge ${ports.length > 1 ? `colo-${index + 1} ` : ''}http://${host}:${port} -> ${origin}`);
  });
  console.log(`edge ready; archive and ledger ${dataDir === undefined ? 'in memory' : `in ${dataDir}`}`);
  const stop = (): void => void edge.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function refuse(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

await main();
