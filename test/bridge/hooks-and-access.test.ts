import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestBridge, type TestBridge } from '../support/bridge.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';

const KEY = 'flux-example-key-0123456789';
const AUDIENCE = 'https://api.blog.example';
let issuer: Issuer;
let bridge: TestBridge;

beforeAll(async () => {
  issuer = await startIssuer();
  bridge = await startTestBridge({
    FLUX_HMAC_KEY: KEY,
    OIDC_AUDIENCE: AUDIENCE,
    OIDC_ISSUER: issuer.url,
    OIDC_JWKS_URL: issuer.jwksUrl,
    OIDC_ALLOWED_EMAILS: 'fn@project.iam.gserviceaccount.com',
  });
}, 60_000);
afterAll(async () => {
  await bridge.stop();
  await issuer.close();
});

const event = (change: object = {}) =>
  JSON.stringify({
    involvedObject: { kind: 'Kustomization', name: 'apps', namespace: 'flux-system' },
    severity: 'info',
    reason: 'ReconciliationSucceeded',
    timestamp: new Date().toISOString(),
    nonce: crypto.randomUUID(),
    ...change,
  });
const sign = (body: string, key = KEY) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
const hook = (body: string, signature: string | null) =>
  fetch(`${bridge.url}/v1/hooks/flux`, {
    method: 'POST',
    body,
    headers: signature === null ? {} : { 'x-signature': signature },
  });

describe('the Flux hook', () => {
  test('takes a signed event as a hint', async () => {
    const body = event();
    const answer = await hook(body, sign(body));
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: true, reconcile: 'no-cluster' }]);
  });

  test.each<[string, (body: string) => string | null]>([
    ['no signature', () => null],
    ['a signature under another key', (body) => sign(body, 'another-example-key')],
    ['a signature of another body', (body) => sign(`${body} `)],
    ['half a signature', (body) => sign(body).slice(0, 40)],
    ['another algorithm', (body) => sign(body).replace('sha256', 'sha1')],
    ['an empty signature', () => 'sha256='],
  ])('refuses %s', async (_name, signature) => {
    const body = event();
    expect((await hook(body, signature(body))).status).toBe(401);
  });

  test('refuses a replay, whether at once or later', async () => {
    const body = event();
    expect((await hook(body, sign(body))).status).toBe(202);
    expect((await hook(body, sign(body))).status).toBe(409);
    for (const change of [{ timestamp: '2026-01-01T00:00:00Z' }, { timestamp: 'never' }, { timestamp: undefined }]) {
      const old = event(change);
      expect((await hook(old, sign(old))).status).toBe(401);
    }
  });

  test('counts the changes it hears of by stage, and nothing else as one', async () => {
    const involved = (kind: string, name: string) => ({ involvedObject: { kind, name, namespace: 'flux-system' } });
    const changed = { reason: 'Progressing', message: 'Deployment/web/blog configured\nService/web/blog unchanged' };
    const told = [
      { ...changed, ...involved('Kustomization', 'apps') },
      { ...changed, ...involved('Kustomization', 'apps') },
      { ...changed, ...involved('Kustomization', 'somebody-elses') },
      { ...changed, ...involved('HelmRelease', 'apps') },
      { ...changed, ...involved('Kustomization', 'data'), severity: 'error' },
      { ...involved('Kustomization', 'data'), message: 'Reconciliation finished in 1.2s, next run in 10m0s' },
      { ...involved('Kustomization', 'data'), message: 'Health check passed in 5.1s' },
      { ...involved('Kustomization', 'data'), message: 'ConfigMap/web/old deleted' },
      { ...involved('Kustomization', 'data'), message: 7 },
    ];
    for (const change of told) {
      const body = event(change);
      expect((await hook(body, sign(body))).status).toBe(202);
    }
    const text = await (await fetch(`${bridge.url}/metrics`)).text();
    const counted = text.split('\n').filter((line) => /^porchlight_flux_changes_total\{.*\} [1-9]/.test(line));
    expect(counted.map((line) => line.replace(/service="bridge",?/, '')).sort()).toEqual([
      'porchlight_flux_changes_total{name="apps",} 2',
      'porchlight_flux_changes_total{name="other",} 1',
    ]);
    expect(text).toMatch(/^porchlight_flux_changes_total\{name="namespaces".*\} 0$/m);
  });

  test('refuses an oversized body before it looks at the signature', async () => {
    const body = event({ message: 'a'.repeat(70_000) });
    expect((await hook(body, sign(body))).status).toBe(413);
  });
});

describe('credentials at the bridge', () => {
  const purge = async (headers: Record<string, string>) => {
    const response = await fetch(`${bridge.url}/v1/purge`, { method: 'POST', body: '{"tags":["a"]}', headers });
    const body = (await response.json()) as { error?: { code: string } };
    return `${response.status} ${body.error?.code ?? 'accepted'}`;
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const claims = (change: object = {}) => ({
    iss: issuer.url,
    aud: AUDIENCE,
    sub: '1',
    email: 'fn@project.iam.gserviceaccount.com',
    email_verified: true,
    iat: Math.floor(Date.now() / 1000) - 5,
    exp: Math.floor(Date.now() / 1000) + 300,
    ...change,
  });
  const past = { iat: 1_700_000_000, exp: 1_700_003_600 };

  test.each<[string, () => Promise<string> | string, string]>([
    ['a good one', () => issuer.sign(claims()), '202 accepted'],
    ['forged', () => issuer.forge(claims()), '401 bad-signature'],
    ['expired, replayed', () => issuer.sign(claims(past)), '401 expired'],
    ['wrong audience', () => issuer.sign(claims({ aud: 'https://other.example' })), '401 wrong-audience'],
    ['alg none', () => issuer.unsigned(claims()), '401 algorithm-not-allowed'],
    ['HMAC with the public key', () => issuer.confuse(claims()), '401 algorithm-not-allowed'],
    ['wrong issuer', () => issuer.sign(claims({ iss: 'https://accounts.google.com' })), '401 wrong-issuer'],
    ['unverified email', () => issuer.sign(claims({ email_verified: false })), '403 email-not-verified'],
    ['unknown key', () => issuer.sign(claims(), { kid: 'key-7' }), '401 unknown-key'],
    ['stranger', () => issuer.sign(claims({ email: 'me@gmail.com' })), '403 not-on-allow-list'],
  ])('%s', async (_name, token, expected) => {
    expect(await purge(bearer(await token()))).toBe(expected);
  });

  test('none, a wrong one, and an Access assertion where Access is not configured', async () => {
    expect(await purge({})).toBe('401 missing-credential');
    expect(await purge(bearer('wrong-example-token-01234'))).toBe('401 unknown-token');
    expect(await purge({ 'cf-access-jwt-assertion': await issuer.sign(claims()) })).toBe('401 unknown-token');
  });

  test('the caller is asked before the body is read', async () => {
    const body = 'x'.repeat(1_000_000);
    const response = await fetch(`${bridge.url}/v1/purge`, {
      method: 'POST',
      body,
      headers: bearer('wrong-example-token-01234'),
    });
    expect(response.status).toBe(401);
  });

  test('metrics and status are for the inside and for callers with a credential, not for the world through the edge', async () => {
    for (const path of ['/metrics', '/v1/status']) {
      expect((await fetch(bridge.url + path)).status).toBe(200);
      expect((await fetch(bridge.url + path, { headers: { 'cf-ray': '8f-FRA' } })).status).toBe(401);
      expect((await bridge.call(path, { headers: { 'cf-ray': '8f-FRA' } })).status).toBe(200);
    }
  });

  test('no credential is logged, accepted or refused', async () => {
    const token = await issuer.sign(claims());
    await purge(bearer(token));
    const logs = bridge.logs.join('');
    expect(logs).toContain('google:fn@project.iam.gserviceaccount.com');
    expect(logs).not.toContain(token);
    expect(logs).not.toContain('wrong-example-token');
    expect(logs).not.toContain(KEY);
  });
});

test('a malformed request line or an endless header is refused by the server, not by a crash', async () => {
  const status = await new Promise<number>((resolve) => {
    const url = new URL(bridge.url);
    const outgoing = request(
      { port: url.port, path: '/health', headers: { 'x-long': 'a'.repeat(40_000) } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.on('error', () => resolve(431));
    outgoing.end();
  });
  expect(status).toBe(431);
  expect((await fetch(`${bridge.url}/health`)).status).toBe(200);
});
