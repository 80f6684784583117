import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Absolute path. */
  readonly contentDir: string;
  /** Origin of every absolute address, without a trailing slash. */
  readonly baseUrl: string;
  /** How long to go on answering after SIGTERM while /ready says no, milliseconds. */
  readonly drainMs: number;
  readonly commit?: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly string[] };

export interface ConfigSources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly defaultContentDir: string;
  readonly isDirectory: (path: string) => boolean;
}

const OPTIONS = { port: { type: 'string' }, host: { type: 'string' }, content: { type: 'string' } } as const;

/** Reads flags and environment once; every error is listed, each naming what to change. */
export function readConfig({ argv, env, defaultContentDir, isDirectory }: ConfigSources): ConfigResult {
  const errors: string[] = [];
  const { values, tokens } = parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') errors.push(`"${token.value}": not an option; use --port, --host or --content`);
    if (token.kind !== 'option') continue;
    if (!(token.name in OPTIONS)) errors.push(`--${token.name}: unknown; the options are --port, --host, --content`);
    else if (!token.value) errors.push(`--${token.name}: needs a value`);
  }
  const flag = (name: keyof typeof OPTIONS) => (typeof values[name] === 'string' ? values[name] : undefined);

  const port = readInteger('--port', flag('port') ?? '3000', 65_535, errors);
  const drainSeconds = readInteger('DRAIN_SECONDS', env.DRAIN_SECONDS ?? '5', 300, errors);
  const baseUrl = readBaseUrl(env.BASE_URL ?? 'http://localhost:8787', errors);
  const contentDir = resolve(flag('content') ?? defaultContentDir);
  if (!isDirectory(contentDir)) errors.push(`--content: ${contentDir} is not a directory; create it or name another`);
  if (errors.length > 0) return { ok: false, errors };
  const commit = env.GIT_COMMIT ? { commit: env.GIT_COMMIT } : {};
  const host = flag('host') ?? env.HOST ?? '0.0.0.0';
  return { ok: true, config: { port, host, contentDir, baseUrl, drainMs: drainSeconds * 1_000, ...commit } };
}

function readInteger(name: string, text: string, max: number, errors: string[]): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) errors.push(`${name}: "${text}" is not a whole number from 0 to ${max}`);
  return value;
}

function readBaseUrl(text: string, errors: string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (!plain || !/^https?:$/.test(url.protocol)) {
    errors.push(`BASE_URL: "${text}" is not an origin; write it like https://blog.example.org, without a path`);
    return '';
  }
  return url.origin;
}
