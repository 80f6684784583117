import { parseArgs } from 'node:util';

export interface IssuerConfig {
  readonly issuer: readonly string[];
  readonly audience: readonly string[];
  readonly jwksUrl: URL;
  readonly allowed: readonly string[];
}

export interface SummaryConfig {
  readonly model: string;
  /** Tokens of prompt and answer together (Ollama's `num_ctx`). */
  readonly contextTokens: number;
  /** Whether a model that computes on the CPU is used. */
  readonly allowCpu: boolean;
  /** Generations that may wait. */
  readonly queueMax: number;
  /** Generations at a time. */
  readonly slots: number;
  /** Where comments are read from, given a thread's id alone. */
  readonly commentsDatabaseUrl: string | null;
}

export interface BridgeConfig {
  readonly host: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly databaseUrl: string | null;
  readonly tokens: readonly { readonly name: string; readonly secret: string }[];
  readonly edge: { readonly url: string; readonly token: string } | null;
  /** Hosts the edge serves: what may be warmed, and where path prefixes are purged. */
  readonly publicHosts: readonly string[];
  readonly cloudflare: {
    readonly zoneId: string;
    readonly token: string;
    readonly apiUrl: string;
    readonly perMinute: number;
  } | null;
  readonly google: IssuerConfig | null;
  readonly access: IssuerConfig | null;
  readonly fluxHmacKey: string | null;
  readonly ollamaHost: string | null;
  readonly summaries: SummaryConfig;
  readonly kubernetes: { readonly kubeconfig: string | null; readonly namespace: string | null } | null;
  readonly version: { readonly version: string; readonly commit: string };
  readonly logLevel: string;
  /** Seconds from SIGTERM to the end at the latest. */
  readonly graceSeconds: number;
  readonly retentionDays: number;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: BridgeConfig }
  | { readonly ok: false; readonly errors: string[] };
type Environment = Readonly<Record<string, string | undefined>>;

/** The one place that reads arguments and environment. Every error is found before any is reported. */
export function readConfig(argv: readonly string[], env: Environment): ConfigResult {
  const errors: string[] = [];
  const { port, data } = readArguments(argv, errors);
  const value = (name: string) => (env[name]?.trim() ? env[name].trim() : null);
  const read = reader(value, errors);
  const inCluster = value('KUBERNETES_SERVICE_HOST') !== null;
  const edge = readEdge(value, read, errors);
  const config: BridgeConfig = {
    host: value('HOST') ?? (inCluster ? '0.0.0.0' : '127.0.0.1'),
    port: read.integer('--port', port, 0, 65_535, 8788),
    dataDirectory: data ?? value('DATA_DIR') ?? './data/bridge',
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:'])?.toString() ?? null,
    tokens: readTokens(value('BRIDGE_TOKENS'), errors),
    edge,
    publicHosts: readPublicHosts(value('PUBLIC_URL'), edge?.url ?? null, errors),
    cloudflare: readCloudflare(value, read, errors),
    google: readGoogle(value, read, errors),
    access: readAccess(value, errors),
    fluxHmacKey: read.secret('FLUX_HMAC_KEY'),
    ollamaHost: read.url('OLLAMA_HOST', ['http:', 'https:'])?.origin ?? null,
    summaries: readSummaries(value, read, errors),
    kubernetes:
      value('KUBECONFIG') !== null || inCluster
        ? { kubeconfig: value('KUBECONFIG'), namespace: value('WATCH_NAMESPACE') }
        : null,
    version: { version: value('PORCHLIGHT_VERSION') ?? '0.1.0', commit: value('PORCHLIGHT_COMMIT') ?? 'unknown' },
    logLevel: read.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    graceSeconds: read.integer('GRACE_SECONDS', value('GRACE_SECONDS'), 1, 600, 25),
    retentionDays: read.integer('RETENTION_DAYS', value('RETENTION_DAYS'), 1, 3650, 7),
  };
  return errors.length > 0 ? { ok: false, errors } : { ok: true, config };
}

function readArguments(argv: readonly string[], errors: string[]): { port: string | null; data: string | null } {
  try {
    const { values } = parseArgs({ args: [...argv], options: { port: { type: 'string' }, data: { type: 'string' } } });
    return { port: values.port ?? null, data: values.data ?? null };
  } catch (error) {
    errors.push(`arguments: ${(error as Error).message.split('.')[0]}; known are --port and --data`);
    return { port: null, data: null };
  }
}

type Value = (name: string) => string | null;

function reader(value: Value, errors: string[]) {
  return {
    integer(name: string, text: string | null, min: number, max: number, fallback: number): number {
      if (text === null) return fallback;
      const number = Number(text);
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      errors.push(`${name}: "${text}" is not a whole number from ${min} to ${max}`);
      return fallback;
    },
    url(name: string, protocols: readonly string[]): URL | null {
      const text = value(name);
      if (text === null) return null;
      const url = URL.canParse(text) ? new URL(text) : null;
      if (url && protocols.includes(url.protocol)) return url;
      // The value may hold a password: it is not repeated.
      errors.push(`${name}: not a URL that starts with ${protocols.join(' or ')}//`);
      return null;
    },
    oneOf(name: string, allowed: readonly string[], fallback: string): string {
      const text = value(name) ?? fallback;
      if (!allowed.includes(text)) errors.push(`${name}: "${text}" is not one of ${allowed.join(', ')}`);
      return text;
    },
    secret(name: string): string | null {
      const text = value(name);
      if (text !== null && text.length < SECRET_MIN) errors.push(`${name}: shorter than ${SECRET_MIN} characters`);
      return text;
    },
  };
}
type Reader = ReturnType<typeof reader>;

const SECRET_MIN = 16;
const list = (text: string | null) =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function readTokens(text: string | null, errors: string[]): BridgeConfig['tokens'] {
  const tokens = list(text).map((entry, index) => {
    const at = entry.indexOf(':');
    const name = entry.slice(0, Math.max(at, 0));
    const secret = entry.slice(at + 1);
    if (!/^[\w.-]{1,64}$/.test(name)) errors.push(`BRIDGE_TOKENS: entry ${index + 1} is not name:token`);
    else if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(secret))
      errors.push(`BRIDGE_TOKENS: the token of ${name} has characters a bearer token cannot have`);
    else if (secret.length < SECRET_MIN)
      errors.push(`BRIDGE_TOKENS: the token of ${name} is shorter than ${SECRET_MIN} characters`);
    return { name, secret };
  });
  for (const name of new Set(tokens.map((token) => token.name))) {
    if (name !== '' && tokens.filter((token) => token.name === name).length > 1) {
      errors.push(`BRIDGE_TOKENS: the name ${name} stands twice; give the new token of a rotation its own name`);
    }
  }
  return tokens;
}

function readEdge(value: Value, read: Reader, errors: string[]): BridgeConfig['edge'] {
  const url = read.url('EDGE_URL', ['http:', 'https:']);
  // `name:token` or the token alone, as the edge reads it: what is sent is the token.
  const token = list(value('EDGE_TOKEN'))[0]?.replace(/^[^:]*:/, '');
  if (url && !token) errors.push('EDGE_TOKEN: needed to purge at EDGE_URL');
  return url && token ? { url: url.origin, token } : null;
}

function readPublicHosts(text: string | null, edgeUrl: string | null, errors: string[]): string[] {
  const urls = text === null ? (edgeUrl === null ? [] : [edgeUrl]) : list(text);
  return urls.flatMap((item) => {
    if (URL.canParse(item) && /^https?:$/.test(new URL(item).protocol)) return [new URL(item).host];
    errors.push(`PUBLIC_URL: "${item}" is not an http or https URL`);
    return [];
  });
}

function readCloudflare(value: Value, read: Reader, errors: string[]): BridgeConfig['cloudflare'] {
  const zoneId = value('CLOUDFLARE_ZONE_ID');
  const token = value('CLOUDFLARE_API_TOKEN');
  const apiUrl = read.url('CLOUDFLARE_API_URL', ['http:', 'https:']) ?? new URL('https://api.cloudflare.com/client/v4');
  const perMinute = read.integer('CLOUDFLARE_PURGES_PER_MINUTE', value('CLOUDFLARE_PURGES_PER_MINUTE'), 1, 3000, 5);
  if (zoneId === null && token === null) return null;
  if (zoneId === null || token === null) errors.push('CLOUDFLARE_ZONE_ID, CLOUDFLARE_API_TOKEN: set both or neither');
  if (zoneId !== null && !/^[0-9a-f]{32}$/.test(zoneId)) errors.push('CLOUDFLARE_ZONE_ID: not 32 hexadecimal digits');
  return { zoneId: zoneId ?? '', token: token ?? '', apiUrl: apiUrl.toString().replace(/\/$/, ''), perMinute };
}

function readSummaries(value: Value, read: Reader, errors: string[]): SummaryConfig {
  const model = value('OLLAMA_MODEL') ?? 'llama3.2:3b';
  if (!/^[\w.:/-]{1,200}$/.test(model)) errors.push('OLLAMA_MODEL: not a name such as llama3.2:3b');
  return {
    model,
    contextTokens: read.integer('OLLAMA_CONTEXT', value('OLLAMA_CONTEXT'), 2048, 1_048_576, 8192),
    allowCpu: read.oneOf('OLLAMA_ALLOW_CPU', ['true', 'false'], 'false') === 'true',
    queueMax: read.integer('SUMMARY_QUEUE_MAX', value('SUMMARY_QUEUE_MAX'), 1, 10_000, 100),
    slots: read.integer('SUMMARY_SLOTS', value('SUMMARY_SLOTS'), 1, 16, 1),
    commentsDatabaseUrl: read.url('COMMENTS_DATABASE_URL', ['postgres:', 'postgresql:'])?.toString() ?? null,
  };
}

function readGoogle(value: Value, read: Reader, errors: string[]): IssuerConfig | null {
  const audience = list(value('OIDC_AUDIENCE'));
  const allowed = list(value('OIDC_ALLOWED_EMAILS'));
  if (audience.length === 0 && allowed.length === 0) return null;
  if (audience.length === 0)
    errors.push('OIDC_AUDIENCE: needed with OIDC_ALLOWED_EMAILS; a token for another service must not open this one');
  if (allowed.length === 0)
    errors.push('OIDC_ALLOWED_EMAILS: needed with OIDC_AUDIENCE; anyone can obtain a signed token');
  const issuer = list(value('OIDC_ISSUER') ?? 'https://accounts.google.com');
  const jwksUrl =
    read.url('OIDC_JWKS_URL', ['https:', 'http:']) ?? new URL('https://www.googleapis.com/oauth2/v3/certs');
  return { issuer, audience, jwksUrl, allowed };
}

function readAccess(value: Value, errors: string[]): IssuerConfig | null {
  const domain = value('ACCESS_TEAM_DOMAIN');
  const audience = list(value('ACCESS_AUD'));
  if (domain === null && audience.length === 0) return null;
  const text = domain?.includes('://') ? domain : `https://${domain}`;
  if (domain === null || !URL.canParse(text))
    errors.push('ACCESS_TEAM_DOMAIN: needed with ACCESS_AUD, such as team.cloudflareaccess.com');
  if (audience.length === 0) errors.push('ACCESS_AUD: needed with ACCESS_TEAM_DOMAIN');
  if (errors.length > 0) return null;
  const { origin } = new URL(text);
  return {
    issuer: [origin],
    audience,
    jwksUrl: new URL(`${origin}/cdn-cgi/access/certs`),
    allowed: list(value('ACCESS_ALLOWED')),
  };
}
