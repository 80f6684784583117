import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Edge, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

/** Example values, no secrets. */
const TOKENS = { old: 'old-example-token-0123', new: 'new-example-token-0123' };
const AUDIENCE = 'https://api.blog.example';
const APP = 'a'.repeat(64);

let issuer: Issuer;
let bridge: { server: Server; seen: { url: string; bytes: number; headers: Record<string, unknown> }[] };
let edge: Edge;

async function startBridgeStandIn(): Promise<typeof bridge> {
  const seen: (typeof bridge)['seen'] = [];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      seen.push({ url: request.url ?? '', bytes, headers: request.headers });
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end('{"home":true}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, seen };
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
/** As the Worker's variables name them. */
const settings = (jwksUrl: string, issuerUrl: string) => ({
  ANY_HOST: 'false',
  BRIDGE_TOKENS: `old:${TOKENS.old},new:${TOKENS.new}`,
  OIDC_AUDIENCE: AUDIENCE,
  OIDC_ISSUER: issuerUrl,
  OIDC_JWKS_URL: jwksUrl,
  OIDC_ALLOWED_EMAILS: 'fn@project.iam.gserviceaccount.com',
  ACCESS_TEAM_DOMAIN: issuerUrl,
  ACCESS_AUD: APP,
});

beforeAll(async () => {
  issuer = await startIssuer('/cdn-cgi/access/certs');
  bridge = await startBridgeStandIn();
  const url = urlOf(bridge.server);
  const env = { PORCHLIGHT_VARS: JSON.stringify(settings(issuer.jwksUrl, issuer.url)) };
  edge = await startEdge({ origin: url, bridge: url, env });
});
afterAll(async () => {
  await edge.stop();
  bridge.server.close();
  await issuer.close();
});
beforeEach(() => void bridge.seen.splice(0));

const now = () => Math.floor(Date.now() / 1000);
const google = (change: object = {}): JWTPayload => ({
  iss: issuer.url,
  aud: AUDIENCE,
  sub: '42',
  email: 'fn@project.iam.gserviceaccount.com',
  email_verified: true,
  iat: now() - 60,
  exp: now() + 600,
  ...change,
});
const service = (change: object = {}): JWTPayload => ({
  iss: issuer.url,
  aud: [APP],
  type: 'app',
  sub: '',
  common_name: 'abc.access',
  iat: now() - 60,
  exp: now() + 600,
  ...change,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const assertion = (token: string) => ({ 'cf-access-jwt-assertion': token });

/** Status, code of the refusal, and how often home was asked. */
async function call(headers: Record<string, string>, path = '/v1/purges/12345678', method = 'GET', body?: string) {
  const options = { method, headers: { Host: 'api.localhost', ...headers }, ...(body === undefined ? {} : { body }) };
  const answer = await get(edge.ports[0] ?? 0, path, options);
  const json = answer.text === '' ? {} : (JSON.parse(answer.text) as { error?: { code: string } });
  return [answer.status, json.error?.code ?? 'home', bridge.seen.length] as const;
}

describe('a credential at the edge', () => {
  test.each<[string, () => Promise<Record<string, string>>, number, string]>([
    ['none', async () => ({}), 401, 'missing-credential'],
    ['a wrong token', async () => bearer('nonsense-example-token'), 401, 'unknown-token'],
    ['a token with one character more', async () => bearer(`${TOKENS.new}4`), 401, 'unknown-token'],
    ['another scheme', async () => ({ authorization: 'Basic bmV3' }), 401, 'malformed'],
    ['Google: forged', async () => bearer(await issuer.forge(google())), 401, 'bad-signature'],
    ['Google: alg none', async () => bearer(issuer.unsigned(google())), 401, 'algorithm-not-allowed'],
    [
      'Google: HS256 under the public key',
      async () => bearer(await issuer.confuse(google())),
      401,
      'algorithm-not-allowed',
    ],
    [
      'Google: wrong audience',
      async () => bearer(await issuer.sign(google({ aud: 'https://other.example' }))),
      401,
      'wrong-audience',
    ],
    [
      'Google: wrong issuer',
      async () => bearer(await issuer.sign(google({ iss: 'https://evil.example' }))),
      401,
      'wrong-issuer',
    ],
    [
      'Google: expired, as when replayed',
      async () => bearer(await issuer.sign(google({ exp: now() - 40 }))),
      401,
      'expired',
    ],
    [
      'Google: not yet valid',
      async () => bearer(await issuer.sign(google({ nbf: now() + 120 }))),
      401,
      'not-yet-valid',
    ],
    [
      'Google: email not verified',
      async () => bearer(await issuer.sign(google({ email_verified: false }))),
      403,
      'email-not-verified',
    ],
    [
      'Google: not on the list',
      async () => bearer(await issuer.sign(google({ email: 'me@gmail.com' }))),
      403,
      'not-on-allow-list',
    ],
    ['Google: unknown key', async () => bearer(await issuer.sign(google(), { kid: 'key-2' })), 401, 'unknown-key'],
    [
      'Access: not yet valid',
      async () => assertion(await issuer.sign(service({ nbf: now() + 120 }))),
      401,
      'not-yet-valid',
    ],
    [
      'Access: of another team',
      async () => assertion(await issuer.sign(service({ iss: 'https://evil.example' }))),
      401,
      'wrong-issuer',
    ],
    ['Access: forged', async () => assertion(await issuer.forge(service())), 401, 'bad-signature'],
    ['Access: expired', async () => assertion(await issuer.sign(service({ exp: now() - 40 }))), 401, 'expired'],
    [
      'Access: another application',
      async () => assertion(await issuer.sign(service({ aud: ['b'.repeat(64)] }))),
      401,
      'wrong-audience',
    ],
    [
      'Access: of the organisation',
      async () => assertion(await issuer.sign(service({ type: 'org' }))),
      401,
      'claim-missing',
    ],
  ])('%s is refused, and home hears nothing', async (_name, headers, status, code) => {
    expect(await call(await headers())).toEqual([status, code, 0]);
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ['the token', async () => bearer(TOKENS.new)],
    ['the old token of a rotation', async () => bearer(TOKENS.old)],
    ['Google', async () => bearer(await issuer.sign(google()))],
    ['Access, a service', async () => assertion(await issuer.sign(service()))],
    [
      'Access, a person',
      async () => assertion(await issuer.sign(service({ common_name: undefined, email: 'me@blog.example' }))),
    ],
  ])('%s passes, with what the bridge needs to check it again', async (_name, make) => {
    const headers = await make();
    expect(await call(headers)).toEqual([200, 'home', 1]);
    const [seen] = bridge.seen;
    if (headers.authorization) expect(seen?.headers.authorization).toBe(headers.authorization);
    else expect(seen?.headers['porchlight-access-assertion']).toBe(headers['cf-access-jwt-assertion']);
  });

  test('a token where only another kind is taken', async () => {
    const token = bearer(await issuer.sign(google()));
    expect(await call(token, '/v1/hooks/argocd', 'POST', '{}')).toEqual([403, 'caller-not-taken-here', 0]);
  });

  test('unknown keys of strangers do not have the issuer asked each time', async () => {
    const before = issuer.fetches;
    for (let n = 0; n < 5; n += 1) await call(bearer(await issuer.sign(google(), { kid: `key-${n + 2}` })));
    expect(issuer.fetches - before).toBeLessThanOrEqual(1);
  });
});

describe('the contract at the edge', () => {
  const big = 'x'.repeat(64 * 1024 + 1);
  test.each([
    ['an unknown route', '/v1/nothing', 'GET', undefined, 404, 'no-such-route', 0],
    ['a method the route has not', '/v1/purge', 'DELETE', undefined, 405, 'no-such-method', 0],
    ['what anyone may see', '/version', 'GET', undefined, 200, 'home', 1],
    ['a signed hook, which the bridge checks', '/v1/hooks/flux', 'POST', '{}', 200, 'home', 1],
    ['a hook that is too long', '/v1/hooks/flux', 'POST', big, 413, 'body-too-large', 0],
    ['a body where none is taken', '/version', 'GET', 'x', 413, 'body-too-large', 0],
  ] as const)('%s', async (_name, path, method, body, status, code, asked) => {
    expect(await call({}, path, method, body)).toEqual([status, code, asked]);
  });

  test('a long body in chunks: home hears no more than it takes to see that it is too long', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const options = {
        port: edge.ports[0],
        path: '/v1/hooks/flux',
        method: 'POST',
        headers: { Host: 'api.localhost' },
      };
      const sent = httpRequest(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject);
      for (let n = 0; n < 40; n += 1) sent.write('x'.repeat(8192));
      sent.end();
    });
    expect(status).toBe(413);
    expect(bridge.seen.every(({ bytes }) => bytes <= 64 * 1024 + 1)).toBe(true);
    // The origin is not taken for broken because of it.
    expect(await call({}, '/version')).toEqual([200, 'home', bridge.seen.length]);
  });
});

test('with the issuer away from the start nobody is let in by guess: 503, and home hears nothing', async () => {
  const url = urlOf(bridge.server);
  const away = { ...settings('http://127.0.0.1:1/certs', issuer.url), ACCESS_TEAM_DOMAIN: 'http://127.0.0.1:1' };
  const blind = await startEdge({ origin: url, bridge: url, env: { PORCHLIGHT_VARS: JSON.stringify(away) } });
  try {
    const headers = { Host: 'api.localhost', ...bearer(await issuer.sign(google())) };
    const answer = await get(blind.ports[0] ?? 0, '/v1/purges/12345678', { headers });
    expect([answer.status, answer.headers['retry-after'], bridge.seen.length]).toEqual([503, '5', 0]);
    // Tokens of our own need no issuer.
    const own = { Host: 'api.localhost', ...bearer(TOKENS.new) };
    expect((await get(blind.ports[0] ?? 0, '/v1/purges/12345678', { headers: own })).status).toBe(200);
  } finally {
    await blind.stop();
  }
});

test('a bridge that says it is busy is not cut off; one that is gone is answered for in its own shape', async () => {
  let answer: readonly [status: number, type: string] = [503, 'application/json'];
  const server = createServer((_request, response) => {
    response.writeHead(answer[0], { 'content-type': answer[1], 'retry-after': '7' }).end('{"error":{"code":"full"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = { PORCHLIGHT_VARS: JSON.stringify(settings(issuer.jwksUrl, issuer.url)) };
  const busy = await startEdge({ origin: urlOf(server), bridge: urlOf(server), env });
  const ask = () =>
    get(busy.ports[0] ?? 0, '/v1/purges/12345678', { headers: { Host: 'api.localhost', ...bearer(TOKENS.new) } });
  try {
    const codes = [];
    for (let turn = 0; turn < 8; turn++) codes.push(JSON.parse((await ask()).text).error.code);
    expect(codes).toEqual(Array(8).fill('full'));
    answer = [502, 'text/html'];
    let refused = await ask();
    for (let turn = 0; turn < 20 && !refused.text.includes('bridge-unreachable'); turn++) refused = await ask();
    expect([refused.status, refused.headers['content-type'], JSON.parse(refused.text).error.code]).toEqual([
      503,
      'application/json',
      'bridge-unreachable',
    ]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  } finally {
    server.close();
    await busy.stop();
  }
});

test('events of the bridge reach the caller one by one', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('event: progress\ndata: {}\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = { PORCHLIGHT_VARS: JSON.stringify(settings(issuer.jwksUrl, issuer.url)) };
  const streaming = await startEdge({ origin: urlOf(server), bridge: urlOf(server), env });
  try {
    const headers = { Host: 'api.localhost', Accept: 'text/event-stream', ...bearer(TOKENS.new) };
    const options = { method: 'POST', headers, body: '{}', leaveAfterBytes: 10 };
    // The stream never ends: what arrives arrived while it was open.
    const { text } = await get(streaming.ports[0] ?? 0, '/v1/summaries', options);
    expect(text).toContain('event: progress');
  } finally {
    server.closeAllConnections();
    server.close();
    await streaming.stop();
  }
});

describe('the rate limit of the interface', () => {
  test('each caller has its own; strangers share that of their address', async () => {
    const url = urlOf(bridge.server);
    const env = { PORCHLIGHT_VARS: JSON.stringify(settings(issuer.jwksUrl, issuer.url)) };
    const limited = await startEdge({ origin: url, bridge: url, env, args: ['--miss-limit', '3'] });
    try {
      const ask = async (headers: Record<string, string>) =>
        (
          await get(limited.ports[0] ?? 0, '/v1/purges/12345678', {
            headers: { Host: 'api.localhost', 'CF-Connecting-IP': '203.0.113.7', ...headers },
          })
        ).status;
      const many = async (headers: Record<string, string>) => [
        await ask(headers),
        await ask(headers),
        await ask(headers),
        await ask(headers),
      ];
      expect(await many(bearer(TOKENS.old))).toEqual([200, 200, 200, 429]);
      expect(await many(bearer(TOKENS.new))).toEqual([200, 200, 200, 429]);
      expect(await many(bearer('nonsense-example-token'))).toEqual([401, 401, 401, 429]);
      expect(await ask({ ...bearer('another-example-token'), 'CF-Connecting-IP': '203.0.113.8' })).toBe(401);
    } finally {
      await limited.stop();
    }
  });
});

test('without any credential to compare with, the edge leaves it to the bridge', async () => {
  const url = urlOf(bridge.server);
  const open = await startEdge({ origin: url, bridge: url, env: { PORCHLIGHT_VARS: '{"ANY_HOST":"false"}' } });
  try {
    const answer = await get(open.ports[0] ?? 0, '/v1/purges/12345678', { headers: { Host: 'api.localhost' } });
    expect([answer.status, bridge.seen.length]).toEqual([200, 1]);
  } finally {
    await open.stop();
  }
});
