import { digestTokens } from '../../shared/access/bearer.ts';
import type { JwtPolicy } from '../../shared/access/claims.ts';
import type { Gate, Issuer } from '../../shared/access/gate.ts';
import type { ConfigProblem } from '../../shared/site-check.ts';
import { IssuerKeys, type KeysOptions } from './keys.ts';
import { verifyRs256 } from './rs256.ts';

interface IssuerConfig extends JwtPolicy {
  readonly jwksUrl: string;
  readonly allowed: readonly string[];
}

interface Token {
  readonly name: string;
  readonly token: string;
}

/** Credentials the edge compares with before anything reaches the bridge, which has the same ones. */
export interface ApiConfig {
  readonly tokens: readonly Token[];
  readonly google: IssuerConfig | null;
  readonly access: IssuerConfig | null;
}

type Text = (
  name:
    | 'OIDC_AUDIENCE'
    | 'OIDC_ISSUER'
    | 'OIDC_JWKS_URL'
    | 'OIDC_ALLOWED_EMAILS'
    | 'ACCESS_TEAM_DOMAIN'
    | 'ACCESS_AUD'
    | 'ACCESS_ALLOWED',
) => string | undefined;

const list = (value = ''): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export function readApiConfig(tokens: readonly Token[], text: Text, problems: ConfigProblem[]): ApiConfig {
  const together = (where: string, other: string, both: readonly (readonly string[])[]): boolean => {
    const [one, two] = both.map(({ length }) => length > 0);
    if (one !== two) problems.push({ where, problem: `and ${other} go together; set both or neither` });
    return one === true && two === true;
  };
  const url = (where: string, value: string): string => {
    if (!URL.canParse(value)) problems.push({ where, problem: 'is not a URL' });
    return value;
  };
  const audience = list(text('OIDC_AUDIENCE'));
  const emails = list(text('OIDC_ALLOWED_EMAILS'));
  const team = list(text('ACCESS_TEAM_DOMAIN')).map((name) =>
    url('ACCESS_TEAM_DOMAIN', name.includes('://') ? name : `https://${name}`),
  );
  const aud = list(text('ACCESS_AUD'));
  const issuer = list(text('OIDC_ISSUER') ?? 'https://accounts.google.com');
  const jwksUrl = url('OIDC_JWKS_URL', text('OIDC_JWKS_URL') ?? 'https://www.googleapis.com/oauth2/v3/certs');
  const google = together('OIDC_AUDIENCE', 'OIDC_ALLOWED_EMAILS', [audience, emails])
    ? { issuer, audience, jwksUrl, allowed: emails }
    : null;
  const access = together('ACCESS_TEAM_DOMAIN', 'ACCESS_AUD', [team, aud])
    ? { issuer: team, audience: aud, jwksUrl: `${team[0]}/cdn-cgi/access/certs`, allowed: list(text('ACCESS_ALLOWED')) }
    : null;
  return { tokens, google, access };
}

/** The gate of one isolate; null without any credential to compare with. */
export function apiGate(
  { tokens, google, access }: ApiConfig,
  now: () => number,
  fetch: KeysOptions['fetch'],
): (() => Promise<Gate>) | null {
  if (tokens.length === 0 && google === null && access === null) return null;
  const issuerOf = (config: IssuerConfig): Issuer => {
    const keys = new IssuerKeys({ url: config.jwksUrl, fetch });
    return { verify: (token, nowMs) => verifyRs256(token, config, keys, nowMs), allowed: config.allowed };
  };
  const rest = { google: google && issuerOf(google), access: access && issuerOf(access), subtle: crypto.subtle, now };
  const secrets = tokens.map(({ name, token }) => ({ name, secret: token }));
  let gate: Gate | undefined;
  // Every request hashes for itself until one has done it: a promise of another request may never settle in a Worker.
  return async () => {
    gate ??= { ...rest, tokens: await digestTokens(secrets, crypto.subtle) };
    return gate;
  };
}
