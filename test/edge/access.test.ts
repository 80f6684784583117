import { beforeAll, describe, expect, test } from 'vitest';
import { poll } from '../support/program.ts';
import { ask, home, pageBody, purge } from './support.ts';

/** Example values; the service token of a tunnel guarded by Cloudflare Access. */
const ACCESS = { ACCESS_CLIENT_ID: 'example-id.access', ACCESS_CLIENT_SECRET: 'example-secret' };

const at = home({ colos: 2, env: { PORCHLIGHT_VARS: JSON.stringify(ACCESS) } });

const LOGIN = `<!doctype html><html><head><title>Sign in ・ Cloudflare Access</title>
<link rel="stylesheet" href="https://team.cloudflareaccess.com/cdn-cgi/access/login.css"></head>
<body><form action="/cdn-cgi/access/login/blog.example.com" method="post">Get a login code</form></body></html>`;
const html = { 'Content-Type': 'text/html; charset=utf-8' };

const FORMS: [name: string, status: number, headers: Record<string, string>, body: string][] = [
  ['302 to the team', 302, { Location: 'https://team.cloudflareaccess.com/cdn-cgi/access/login/blog?kid=1' }, ''],
  ['302 to the path', 302, { Location: '/cdn-cgi/access/login/blog.example.com' }, ''],
  [
    '302 that calls itself cacheable',
    302,
    { Location: 'https://t.cloudflareaccess.com/', 'Cache-Control': 'max-age=9' },
    '',
  ],
  ['200 with its cookie', 200, { ...html, 'Set-Cookie': 'CF_AppSession=x; Path=/' }, LOGIN],
  ['200 with its header', 200, { ...html, 'CF-Access-Domain': 'blog.example.com' }, LOGIN],
  ['200 that looks like a page', 200, html, LOGIN],
  ['200 that calls itself cacheable', 200, { ...html, 'Cache-Control': 'public, max-age=600' }, LOGIN],
  ['200 with a type in capitals', 200, { 'Content-Type': 'Text/HTML', 'Cache-Control': 'max-age=600' }, LOGIN],
  ['200 that may not be stored', 200, { ...html, 'Cache-Control': 'private, no-store' }, LOGIN],
];

const shows = (text: string): boolean => text.includes('Get a login code');

beforeAll(() => at.origin.publish('/probe', 'alive', { 'Cache-Control': 'no-store', 'Content-Type': 'text/plain' }));

async function healed(): Promise<void> {
  const alive = async () => (await ask(at.edge, '/probe')).text === 'alive';
  expect(await poll(alive, 40_000, 100)).toBe(true);
}

test('the service token goes with every request home, and never to a reader', async () => {
  at.origin.publish('/token', 'page');
  const answer = await ask(at.edge, '/token');
  expect(at.origin.seen.find(({ path }) => path === '/token')?.headers).toMatchObject({
    'cf-access-client-id': ACCESS.ACCESS_CLIENT_ID,
    'cf-access-client-secret': ACCESS.ACCESS_CLIENT_SECRET,
  });
  expect(JSON.stringify(answer.rawHeaders)).not.toContain('example-secret');
});

describe.each(FORMS)('the login page of an expired token: %s', (name, status, headers, body) => {
  const path = `/guarded/${encodeURIComponent(name)}`;
  const login = { kind: 'status', status, headers, body } as const;

  test('never stands in for a good page', async () => {
    await healed();
    at.origin.publish(path, pageBody(path));
    expect((await ask(at.edge, path)).text).toBe(pageBody(path));
    await purge(at.edge, { urls: [path] });
    at.origin.fault(path, login);
    for (let i = 0; i < 2; i += 1) {
      const answer = await ask(at.edge, path);
      expect([answer.status, answer.text === pageBody(path)]).toEqual([200, true]);
      expect(answer.headers['cache-status']).toContain('stale-if-error');
    }
    expect((await ask(at.edge, path, {}, 1)).text).toBe(pageBody(path));
    at.origin.fault(path, null);
  });

  test('never becomes a page', async () => {
    await healed();
    const fresh = `${path}/new`;
    at.origin.publish(fresh, pageBody(fresh));
    at.origin.fault(fresh, login);
    const answer = await ask(at.edge, fresh);
    if (!headers['Cache-Control']?.includes('no-store')) {
      expect([answer.status, shows(answer.text)]).toEqual([503, false]);
      expect(answer.headers.location).toBeUndefined();
    }
    at.origin.fault(fresh, null);
    await healed();
    expect((await ask(at.edge, fresh)).text).toBe(pageBody(fresh));
  });
});

test('a post that writes about Access is a page like any other', async () => {
  await healed();
  const post = `<!doctype html><title>How I put Cloudflare Access before my tunnel</title><meta name="description"
    content="team.cloudflareaccess.com explained"><p>An expired token is sent to <code>/cdn-cgi/access/login</code> at
    <a href="https://team.cloudflareaccess.com/">https://team.cloudflareaccess.com</a>.</p>`;
  at.origin.publish('/posts/access', post);
  for (const colo of [0, 1]) {
    const answer = await ask(at.edge, '/posts/access', {}, colo);
    expect([answer.status, answer.text]).toEqual([200, post]);
  }
});
