import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { porchlightSite } from '../shared/site.ts';
import { type ConfigProblem, validateSite } from '../shared/site-check.ts';
import type { LocalEdgeOptions } from './miniflare.ts';

export type EdgeArguments = LocalEdgeOptions;

export const USAGE = `npm run edge -- --origin URL [options]
  --origin URL        the HTTP origin behind the edge, such as http://127.0.0.1:8000
  --port N            first port to listen on (8787)
  --host ADDRESS      address to listen on (127.0.0.1)
  --bridge URL        the bridge, answered at api.localhost
  --data DIR          keep archive and ledger here, across restarts
  --colos N           simulated data centres on consecutive ports (1)
  --forward MODE      keyed: forward only what the key holds; all: forward everything, trust Vary (keyed)
  --miss-limit N      requests per minute one client may cause at the origin (no limit)
Environment: EDGE_TOKEN (comma-separated, the first as name:token) for /.porchlight/purge and warm;
PORCHLIGHT_VARS, a JSON object of further Worker variables.`;

const OPTIONS = {
  origin: { type: 'string' },
  port: { type: 'string', default: '8787' },
  host: { type: 'string', default: '127.0.0.1' },
  bridge: { type: 'string' },
  data: { type: 'string' },
  colos: { type: 'string', default: '1' },
  forward: { type: 'string', default: 'keyed' },
  'miss-limit': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export type Parsed =
  | { readonly help: true }
  | { readonly problems: readonly ConfigProblem[] }
  | { readonly arguments: EdgeArguments };

function number(where: string, value: string, min: number, max: number, problems: ConfigProblem[]): number {
  const found = Number(value);
  if (Number.isInteger(found) && found >= min && found <= max) return found;
  problems.push({ where, problem: `"${value}" must be a whole number from ${min} to ${max}` });
  return min;
}

function variables(text: string | undefined, problems: ConfigProblem[]): Record<string, string> {
  if (text === undefined || text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((item) => typeof item === 'string')
    )
      return value as Record<string, string>;
  } catch {
    // Reported below, together with every other shape that is not an object of strings.
  }
  problems.push({ where: 'PORCHLIGHT_VARS', problem: 'must be a JSON object whose values are strings' });
  return {};
}

const OPTION_OF: Readonly<Record<string, string>> = {
  'upstreams.blog.url': '--origin',
  'upstreams.bridge.url': '--bridge',
};

/** What the site these options make would be refused for, in the words of the options. */
function siteProblems(origin: string, bridge: string | undefined): ConfigProblem[] {
  const addresses = { blog: origin, domain: 'localhost', scheme: 'http', access: false, anyHost: true } as const;
  const site = porchlightSite({ ...addresses, ...(bridge === undefined ? {} : { bridge }) });
  return validateSite(site).map(({ where, problem }) => ({ where: OPTION_OF[where] ?? where, problem }));
}

/** Command line and environment of the local edge, checked whole: every problem at once, or the options. */
export function parseEdgeArguments(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Parsed {
  const problems: ConfigProblem[] = [];
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }));
  } catch (error) {
    return {
      problems: [
        { where: 'arguments', problem: `${error instanceof Error ? error.message : error}; --help lists the options` },
      ],
    };
  }
  if (values.help) return { help: true };
  if (values.origin === undefined)
    problems.push({
      where: '--origin',
      problem: 'is missing: the URL of the HTTP origin, such as http://127.0.0.1:8000',
    });
  const port = number('--port', values.port, 1, 65_535, problems);
  const colos = number('--colos', values.colos, 1, 20, problems);
  if (port + colos - 1 > 65_535)
    problems.push({ where: '--colos', problem: `${colos} ports from ${port} on end beyond 65535` });
  if (values.forward !== 'keyed' && values.forward !== 'all')
    problems.push({ where: '--forward', problem: `"${values.forward}" must be keyed or all` });
  const missLimit =
    values['miss-limit'] === undefined
      ? undefined
      : number('--miss-limit', values['miss-limit'], 1, 1_000_000, problems);
  const vars = variables(env.PORCHLIGHT_VARS, problems);
  problems.push(...siteProblems(values.origin ?? 'http://missing.invalid', values.bridge));
  if (problems.length > 0 || values.origin === undefined) return { problems };
  return {
    arguments: {
      origin: values.origin,
      host: values.host,
      ports: Array.from({ length: colos }, (_, index) => port + index),
      forward: values.forward === 'all' ? 'all' : 'keyed',
      anyHost: true,
      edgeToken: env.EDGE_TOKEN,
      vars,
      ...(values.bridge === undefined ? {} : { bridge: values.bridge }),
      ...(values.data === undefined ? {} : { dataDir: resolve(values.data) }),
      ...(missLimit === undefined ? {} : { missLimit }),
    },
  };
}
