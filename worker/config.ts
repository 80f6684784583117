import { porchlightSite, type SiteConfig } from '../shared/site.ts';
import { type ConfigProblem, describeProblems, validateSite } from '../shared/site-check.ts';
import { type ApiConfig, readApiConfig } from './access/config.ts';
import type { AccessToken } from './origin/transport.ts';
import type { ForwardMode } from './policy/request.ts';

/** Bindings and variables as they arrive (wrangler.toml, or the local launcher). Nothing here is trusted yet. */
export interface EdgeEnv {
  readonly ARCHIVE: R2Bucket;
  readonly LEDGER: DurableObjectNamespace;
  readonly BLOG_VPC?: Fetcher;
  readonly BRIDGE_VPC?: Fetcher;
  readonly LIMIT_MISS?: RateLimit;
  readonly LIMIT_UNSAFE?: RateLimit;
  readonly LIMIT_API?: RateLimit;
  readonly BLOG_ORIGIN?: string;
  readonly BRIDGE_ORIGIN?: string;
  readonly DOMAIN?: string;
  readonly SCHEME?: string;
  readonly ANY_HOST?: string;
  readonly FORWARD?: string;
  readonly STAGE?: string;
  readonly COLO?: string;
  readonly EDGE_TOKEN?: string;
  readonly ACCESS_CLIENT_ID?: string;
  readonly ACCESS_CLIENT_SECRET?: string;
  readonly ZONE_PURGE?: string;
  readonly MEMORY_MB?: string;
  readonly STALE_WAIT_MS?: string;
  readonly FIRST_BYTE_MS?: string;
  readonly PROBE_SECONDS?: string;
  readonly BRIDGE_TOKENS?: string;
  readonly OIDC_AUDIENCE?: string;
  readonly OIDC_ISSUER?: string;
  readonly OIDC_JWKS_URL?: string;
  readonly OIDC_ALLOWED_EMAILS?: string;
  readonly ACCESS_TEAM_DOMAIN?: string;
  readonly ACCESS_AUD?: string;
  readonly ACCESS_ALLOWED?: string;
}

export interface EdgeToken {
  readonly name: string;
  readonly token: string;
}

export interface EdgeConfig {
  readonly site: SiteConfig;
  readonly forward: ForwardMode;
  readonly stage: 'own' | 'workers-cache';
  /** Name of the simulated data centre; empty where the platform is one. */
  readonly colo: string;
  readonly tokens: readonly EdgeToken[];
  readonly access: AccessToken | undefined;
  /** Who may call the bridge through the edge. */
  readonly api: ApiConfig;
  /** Another system (the bridge) clears the data centres through Cloudflare's zone purge, so snapshots may live longer. */
  readonly zonePurge: boolean;
  readonly memoryBytes: number;
  readonly staleWaitMs: number;
  readonly firstByteMs: number;
  /** How often the ledger looks at an upstream no reader's request went to; 0 for never. */
  readonly probeMs: number;
  readonly secure: boolean;
}

function tokens(where: string, value: string | undefined, problems: ConfigProblem[]): EdgeToken[] {
  const members = (value ?? '').split(',').filter((member) => member.trim() !== '');
  return members.map((member, index) => {
    const at = member.indexOf(':');
    const name = at < 0 ? `token${index + 1}` : member.slice(0, at).trim();
    const token = member.slice(at + 1).trim();
    if (token.length < 16)
      problems.push({ where, problem: `token ${index + 1} ("${name}") is shorter than 16 characters` });
    return { name, token };
  });
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly [T, ...T[]],
  problems: ConfigProblem[],
): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((option) => option === value);
  if (found === undefined) problems.push({ where: name, problem: `"${value}" must be one of ${allowed.join(', ')}` });
  return found ?? allowed[0];
}

function whole(
  name: string,
  value: string | undefined,
  fallback: number,
  min: number,
  max: number,
  problems: ConfigProblem[],
): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  problems.push({ where: name, problem: `"${value}" must be a whole number from ${min} to ${max}` });
  return fallback;
}

/** A variable as text. wrangler.toml also makes numbers and booleans; an empty one is unset. */
function variable(name: string, value: unknown, problems: ConfigProblem[]): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  problems.push({ where: name, problem: 'must be text, a number or a boolean, not a structure' });
  return undefined;
}

/** Everything wrong with the configuration at once, or the configuration. */
export function readConfig(
  env: Readonly<Partial<Record<keyof EdgeEnv, unknown>>>,
): { config: EdgeConfig } | { error: string; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const text = (name: keyof EdgeEnv): string | undefined => variable(name, env[name], problems);
  const scheme = oneOf('SCHEME', text('SCHEME'), ['https', 'http'], problems);
  const id = text('ACCESS_CLIENT_ID');
  const secret = text('ACCESS_CLIENT_SECRET');
  if ((id === undefined) !== (secret === undefined))
    problems.push({ where: 'ACCESS_CLIENT_ID', problem: 'and ACCESS_CLIENT_SECRET go together; set both or neither' });
  const blog = text('BLOG_ORIGIN');
  if (blog === undefined)
    problems.push({
      where: 'BLOG_ORIGIN',
      problem: 'is missing: the URL the blog is fetched from, such as https://origin.example.com',
    });
  const bridge = text('BRIDGE_ORIGIN');
  const site = porchlightSite({
    blog: blog ?? 'http://missing.invalid',
    ...(bridge === undefined ? {} : { bridge }),
    domain: text('DOMAIN') ?? 'localhost',
    scheme,
    access: id !== undefined && secret !== undefined,
    anyHost: oneOf('ANY_HOST', text('ANY_HOST'), ['false', 'true'], problems) === 'true',
  });
  problems.push(...validateSite(site));
  const config: EdgeConfig = {
    site,
    forward: oneOf('FORWARD', text('FORWARD'), ['keyed', 'all'], problems),
    stage: oneOf('STAGE', text('STAGE'), ['own', 'workers-cache'], problems),
    colo: text('COLO') ?? '',
    tokens: tokens('EDGE_TOKEN', text('EDGE_TOKEN'), problems),
    access: id !== undefined && secret !== undefined ? { id, secret } : undefined,
    api: readApiConfig(tokens('BRIDGE_TOKENS', text('BRIDGE_TOKENS'), problems), text, problems),
    zonePurge: oneOf('ZONE_PURGE', text('ZONE_PURGE'), ['false', 'true'], problems) === 'true',
    memoryBytes: whole('MEMORY_MB', text('MEMORY_MB'), 40, 1, 100, problems) * 1024 * 1024,
    staleWaitMs: whole('STALE_WAIT_MS', text('STALE_WAIT_MS'), 1_500, 10, 30_000, problems),
    firstByteMs: whole('FIRST_BYTE_MS', text('FIRST_BYTE_MS'), 10_000, 100, 60_000, problems),
    probeMs: whole('PROBE_SECONDS', text('PROBE_SECONDS'), 300, 0, 3_600, problems) * 1000,
    secure: scheme === 'https',
  };
  return problems.length > 0 ? { error: describeProblems('The edge configuration', problems), problems } : { config };
}
