import { porchlightSite } from '../shared/site.ts';
import { describeProblems, validateSite } from '../shared/site-check.ts';
import { type EdgeArguments, parseEdgeArguments, USAGE } from './edge-arguments.ts';
import { startEdge } from './miniflare.ts';

/** The edge alone: Miniflare in front of any HTTP origin. Bad arguments: every error at once, exit 1. */
async function main(): Promise<void> {
  const parsed = parseEdgeArguments(process.argv.slice(2), process.env);
  if ('help' in parsed) return void console.log(USAGE);
  const problems = 'problems' in parsed ? parsed.problems : siteProblems(parsed.arguments);
  if (problems.length > 0 || 'problems' in parsed) {
    console.error(describeProblems('The edge command', problems));
    process.exitCode = 1;
    return;
  }
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

function siteProblems(given: EdgeArguments): ReturnType<typeof validateSite> {
  const { origin, bridge, anyHost } = given;
  return validateSite(
    porchlightSite({
      blog: origin,
      ...(bridge === undefined ? {} : { bridge }),
      domain: 'localhost',
      scheme: 'http',
      access: false,
      anyHost,
    }),
  );
}

await main();
