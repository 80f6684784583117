import fc from 'fast-check';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearerOf, digestTokens, matchToken } from '../../shared/access/bearer.ts';
import { type JwtPolicy, judgeAccess, judgeGoogle } from '../../shared/access/claims.ts';
import { type Gate, type Issuer as IssuerOfGate, identify } from '../../shared/access/gate.ts';
import { remoteKeys, verifyJwt } from '../../shared/access/jwt.ts';
import type { CallerKind } from '../../shared/contract/access.ts';
import { IssuerKeys } from '../../worker/access/keys.ts';
import { verifyRs256 } from '../../worker/access/rs256.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const seconds = NOW / 1000;
const AUDIENCE = 'https://api.blog.example';
const ACCESS_AUDIENCE = 'a'.repeat(64);

let issuer: Issuer;
let gate: Gate;
/** The bridge verifies with jose, the edge over WebCrypto: everything below holds for both. */
const VERIFIERS = ['jose', 'WebCrypto'] as const;
type Verifying = (policy: JwtPolicy) => IssuerOfGate['verify'];
let verifiers: Record<(typeof VERIFIERS)[number], Verifying>;
let gateOf: (verifying: Verifying) => Promise<Gate>;

beforeAll(async () => {
  issuer = await startIssuer();
  const local = createLocalJWKSet((await (await fetch(issuer.jwksUrl)).json()) as JSONWebKeySet);
  const keys = new IssuerKeys({ url: issuer.jwksUrl, fetch: (url, init) => fetch(url, init) as never });
  verifiers = {
    jose: (policy) => (token, nowMs) => verifyJwt(token, policy, local, nowMs),
    WebCrypto: (policy) => (token, nowMs) => verifyRs256(token, policy, keys, nowMs),
  };
  const { subtle } = crypto;
  const secrets = ['old', 'new'].map((name) => ({ name, secret: `${name}-example-token-0123` }));
  gateOf = async (verifying) => ({
    tokens: await digestTokens(secrets, subtle),
    google: {
      verify: verifying({ issuer: ['https://accounts.google.com'], audience: [AUDIENCE] }),
      allowed: ['fn@project.iam.gserviceaccount.com', '117'],
    },
    access: {
      verify: verifying({ issuer: ['https://team.cloudflareaccess.com'], audience: [ACCESS_AUDIENCE] }),
      allowed: [],
    },
    subtle,
    now: () => NOW,
  });
  gate = await gateOf(verifiers.jose);
});
afterAll(() => issuer.close());

const google = {
  iss: 'https://accounts.google.com',
  aud: AUDIENCE,
  sub: '42',
  email: 'fn@project.iam.gserviceaccount.com',
  email_verified: true,
  iat: seconds - 60,
  exp: seconds + 3540,
};
const access = {
  iss: 'https://team.cloudflareaccess.com',
  aud: [ACCESS_AUDIENCE],
  type: 'app',
  sub: '',
  common_name: 'abc.access',
  iat: seconds - 60,
  exp: seconds + 600,
};
const all: CallerKind[] = ['token', 'google', 'access'];
const ask = async (headers: Record<string, string>, takes: readonly CallerKind[] = all) => {
  const verdict = await identify(new Headers(headers), takes, gate);
  return verdict.ok ? `${verdict.value.kind}:${verdict.value.name}` : verdict.reason;
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('bearer tokens', () => {
  test.each([
    ['the old one of a rotation', { authorization: 'Bearer old-example-token-0123' }, 'token:old'],
    ['the new one', { authorization: 'bearer new-example-token-0123' }, 'token:new'],
    ['one character more', { authorization: 'Bearer new-example-token-01234' }, 'unknown-token'],
    ['one less', { authorization: 'Bearer new-example-token-012' }, 'unknown-token'],
    ['two at once', { authorization: 'Bearer new-example-token-0123, Bearer old-example-token-0123' }, 'malformed'],
    ['another scheme', { authorization: 'Basic bmV3OmV4YW1wbGU=' }, 'malformed'],
    ['an empty one', { authorization: 'Bearer ' }, 'malformed'],
    ['none', {}, 'missing-credential'],
  ])('%s', async (_name, headers, expected) => {
    expect(await ask(headers as Record<string, string>)).toBe(expected);
  });

  test('only digests are kept', async () => {
    expect(JSON.stringify(gate.tokens)).not.toContain('example-token');
    expect(
      await matchToken('ÄÖÜ€', await digestTokens([{ name: 'a', secret: 'ÄÖÜ€' }], crypto.subtle), crypto.subtle),
    ).toBe('a');
    expect(bearerOf('Bearer abc==')).toBe('abc==');
  });
});

describe.each(VERIFIERS)('Google ID tokens, with %s', (name) => {
  beforeAll(async () => {
    gate = await gateOf(verifiers[name]);
  });

  test('of an allowed account, by verified email or by sub', async () => {
    expect(await ask(bearer(await issuer.sign(google)))).toBe('google:fn@project.iam.gserviceaccount.com');
    expect(await ask(bearer(await issuer.sign({ ...google, sub: '117', email: undefined })))).toBe('google:117');
  });

  test.each([
    ['expired, as when replayed later', { exp: seconds - 31 }, 'expired'],
    ['from the future', { iat: seconds + 120 }, 'not-yet-valid'],
    ['not before later', { nbf: seconds + 120 }, 'not-yet-valid'],
    ['without expiry', { exp: undefined }, 'claim-missing'],
    ['without audience', { aud: undefined }, 'claim-missing'],
    ['for another service', { aud: 'https://other.example' }, 'wrong-audience'],
    ['for a service whose name only begins like ours', { aud: `${AUDIENCE}.evil` }, 'wrong-audience'],
    ['of another issuer', { iss: 'https://accounts.google.com.evil.example' }, 'wrong-issuer'],
    ['with an unverified email', { email_verified: false }, 'email-not-verified'],
    ['with the word true for a verified email', { email_verified: 'true' }, 'email-not-verified'],
    ['of a stranger', { email: 'me@gmail.com' }, 'not-on-allow-list'],
    ['without subject', { sub: undefined }, 'claim-missing'],
  ])('%s is refused', async (_name, change, reason) => {
    expect(await ask(bearer(await issuer.sign({ ...google, ...change } as JWTPayload)))).toBe(reason);
  });

  test('forged, unsigned, confused, altered or under an unknown key is refused', async () => {
    expect(await ask(bearer(await issuer.forge(google)))).toBe('bad-signature');
    expect(await ask(bearer(issuer.unsigned(google)))).toBe('algorithm-not-allowed');
    expect(await ask(bearer(await issuer.confuse(google)))).toBe('algorithm-not-allowed');
    expect(await ask(bearer(await issuer.sign(google, { kid: 'key-2' })))).toBe('unknown-key');
    const [head, , signature] = (await issuer.sign(google)).split('.');
    const body = Buffer.from(JSON.stringify({ ...google, email: 'me@gmail.com' })).toString('base64url');
    expect(await ask(bearer(`${head}.${body}.${signature}`))).toBe('bad-signature');
    expect(await ask(bearer(`${'a'.repeat(9000)}.b.c`))).toBe('malformed');
  });

  test.each([' ', '\n', '=', '+', '/'])(
    'base64 that is not base64url is refused: %j in the signature',
    async (strange) => {
      const verify = verifiers[name]({ issuer: [google.iss], audience: [AUDIENCE] });
      const token = await issuer.sign(google);
      expect(await verify(token, NOW)).toMatchObject({ ok: true });
      for (const at of [token.length, token.length - 8, token.length - 9])
        expect(await verify(token.slice(0, at) + strange + token.slice(at), NOW)).toMatchObject({ ok: false });
    },
  );

  test('keys a token names itself are not fetched', async () => {
    const before = issuer.fetches;
    const { jwksUrl } = issuer;
    const token = await issuer.sign(google, { kid: 'key-9', jku: jwksUrl, x5u: jwksUrl });
    expect(await ask(bearer(token))).toBe('unknown-key');
    expect(issuer.fetches).toBe(before);
  });
});

test.each(VERIFIERS)('keys from the configured address are fetched once for many tokens, with %s', async (name) => {
  const policy = { issuer: [google.iss], audience: [AUDIENCE] };
  const verifyWith = (url: string): IssuerOfGate['verify'] => {
    if (name === 'jose') {
      const keys = remoteKeys(new URL(url));
      return (token, nowMs) => verifyJwt(token, policy, keys, nowMs);
    }
    const keys = new IssuerKeys({ url, fetch: (address, init) => fetch(address, init) as never });
    return (token, nowMs) => verifyRs256(token, policy, keys, nowMs);
  };
  const before = issuer.fetches;
  const remote = { ...gate, google: { verify: verifyWith(issuer.jwksUrl), allowed: ['42', google.email] } };
  for (let turn = 0; turn < 5; turn++) {
    const verdict = await identify(new Headers(bearer(await issuer.sign(google))), all, remote);
    expect(verdict.ok).toBe(true);
  }
  expect(issuer.fetches).toBe(before + 1);
  const gone = { ...remote, google: { ...remote.google, verify: verifyWith('http://127.0.0.1:1/certs') } };
  expect(await identify(new Headers(bearer(await issuer.sign(google))), all, gone)).toEqual({
    ok: false,
    reason: 'keys-unavailable',
  });
});

test('both say the same of whatever is done to a token', async () => {
  const whole = await issuer.sign(google);
  const policy = { issuer: ['https://accounts.google.com'], audience: [AUDIENCE] };
  const [jose, own] = VERIFIERS.map((name) => verifiers[name](policy));
  const claims = fc.record(
    {
      iss: fc.constantFrom(google.iss, 'other', 7),
      aud: fc.constantFrom(AUDIENCE, [AUDIENCE, 'x'], ['x'], 'x', 7),
      exp: fc.constantFrom(seconds + 600, seconds - 29, seconds - 31, 'soon'),
      iat: fc.constantFrom(seconds - 60, seconds + 29, seconds + 31),
      nbf: fc.constantFrom(seconds - 60, seconds + 29, seconds + 31),
      sub: fc.string(),
    },
    { requiredKeys: [] },
  );
  const cut = fc.tuple(fc.nat(whole.length), fc.string({ maxLength: 2 }), fc.nat(3));
  await fc.assert(
    fc.asyncProperty(claims, cut, fc.boolean(), async (body, [at, put, take], altered) => {
      const signed = altered ? whole : await issuer.sign(body as JWTPayload);
      const token = altered ? whole.slice(0, at) + put + whole.slice(at + take) : signed;
      const [first, second] = await Promise.all([jose?.(token, NOW), own?.(token, NOW)]);
      expect(second?.ok).toBe(first?.ok);
      if (first?.ok === false && second?.ok === false && !altered) expect(second.reason).toBe(first.reason);
    }),
    { numRuns: 300 },
  );
});

describe.each(VERIFIERS)('Cloudflare Access, with %s', (name) => {
  beforeAll(async () => {
    gate = await gateOf(verifiers[name]);
  });

  const assertion = (token: string) => ({ 'cf-access-jwt-assertion': token });

  test('a service token and a person', async () => {
    expect(await ask(assertion(await issuer.sign(access)))).toBe('access:abc.access');
    const person = { ...access, common_name: undefined, email: 'me@blog.example', sub: '1' };
    expect(await ask(assertion(await issuer.sign(person)))).toBe('access:me@blog.example');
  });

  test('the edge’s own token, which opens the tunnel for every reader, is nobody’s credential', async () => {
    const token = assertion(await issuer.sign(access));
    for (const loop of ['porchlight', 'cloudflare; loops=1, porchlight', 'other, porchlight;x=1'])
      expect(await ask({ ...token, 'cdn-loop': loop })).toBe('missing-credential');
    expect(await ask({ ...token, 'cdn-loop': 'cloudflare, porchlights' })).toBe('access:abc.access');
    const both = { ...token, 'cdn-loop': 'porchlight', ...bearer('old-example-token-0123') };
    expect(await ask(both)).toBe('token:old');
  });

  test.each([
    ['of another team', { iss: 'https://evil.cloudflareaccess.com' }, 'wrong-issuer'],
    ['of another application of the team', { aud: ['b'.repeat(64)] }, 'wrong-audience'],
    ['expired', { exp: seconds - 31 }, 'expired'],
    ['of the organisation, not the application', { type: 'org' }, 'claim-missing'],
    ['without a name', { common_name: '' }, 'claim-missing'],
  ])('%s is refused', async (_name, change, reason) => {
    expect(await ask(assertion(await issuer.sign({ ...access, ...change })))).toBe(reason);
  });

  test('forged is refused, and a token of one issuer does not pass for the other', async () => {
    expect(await ask(assertion(await issuer.forge(access)))).toBe('bad-signature');
    expect(await ask(assertion(issuer.unsigned(access)))).toBe('algorithm-not-allowed');
    expect(await ask(assertion(await issuer.sign(google)))).toBe('wrong-issuer');
    expect(await ask(bearer(await issuer.sign(access)))).toBe('wrong-issuer');
  });

  test('an allow-list narrows it', () => {
    expect(judgeAccess(access, ['other'])).toEqual({ ok: false, reason: 'not-on-allow-list' });
    expect(judgeAccess(access, ['ABC.access'])).toEqual({ ok: true, value: 'abc.access' });
    expect(judgeGoogle({ ...google, email: 'FN@project.iam.gserviceaccount.com' }, gate.google?.allowed ?? []).ok).toBe(
      true,
    );
  });
});

describe('routes say whom they take', () => {
  test.each<[string, Record<string, string>, CallerKind[], string]>([
    [
      'a token where only Google is taken',
      { authorization: 'Bearer new-example-token-0123' },
      ['google'],
      'caller-not-taken-here',
    ],
    ['nobody in particular, from inside', {}, ['direct', 'token'], 'direct:direct'],
    ['the same through the tunnel', { 'cf-ray': '1-FRA' }, ['direct', 'token'], 'missing-credential'],
    ['the same through a proxy', { 'x-forwarded-for': '127.0.0.1' }, ['direct', 'token'], 'missing-credential'],
    ['a Service by its name', { host: 'bridge.web.svc.cluster.local:8788' }, ['direct'], 'direct:direct'],
    ['a pod by its address', { host: '10.42.0.7:8788' }, ['direct'], 'direct:direct'],
    ['a public name that was rebound', { host: 'evil.example:8788' }, ['direct'], 'missing-credential'],
    ['a bad token from inside', { authorization: 'Bearer nonsense' }, ['direct', 'token'], 'unknown-token'],
    ['a bad token where anyone may', { authorization: 'Bearer nonsense' }, ['anyone'], 'anyone:anyone'],
  ])('%s', async (_name, headers, takes, expected) => {
    expect(await ask(headers, takes)).toBe(expected);
  });

  test('without Google configured its tokens are unknown, without Access an assertion is', async () => {
    const bare = { ...gate, google: null, access: null };
    const token = await issuer.sign(google);
    expect(await identify(new Headers(bearer(token)), all, bare)).toEqual({ ok: false, reason: 'unknown-token' });
    const headers = new Headers({ 'cf-access-jwt-assertion': await issuer.sign(access) });
    expect(await identify(headers, all, bare)).toEqual({ ok: false, reason: 'unknown-token' });
  });
});
