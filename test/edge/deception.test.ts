import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { DECEPTION } from './attacks.ts';
import { ask, home } from './support.ts';

const at = home({ colos: 2 });

const SECRET = 'secret-of-the-victim';

/** All the ways in which frameworks were seen to bend a path before they route it, one after the other. */
function bent(target: string): string {
  let path = target.split('?')[0] ?? '';
  for (let i = 0; i < 3; i += 1) {
    try {
      path = decodeURIComponent(path);
    } catch {
      path = unescaped(path);
    }
  }
  path = path.replaceAll('\\', '/').replaceAll('/..;', '/..');
  path = new URL(path.split(/[\0\t\r\n#?]/)[0] || '/', 'http://home').pathname;
  return path.replace(/\/{2,}/g, '/').toLowerCase();
}

/** Decodes what can be decoded and leaves the rest, as many a hand-written router does. */
const unescaped = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function isVictim(req: IncomingMessage): boolean {
  return /s3cret/.test(`${req.headers.cookie ?? ''} ${req.headers.authorization ?? ''}`);
}

/** Answers anything that begins like the account page with the account, and calls it cacheable by its extension. */
function careless(req: IncomingMessage, res: ServerResponse): void {
  const path = bent(req.url ?? '/');
  const isAccount = path.includes('account');
  const isStatic = /\.(css|js|png|ico|avif|html|txt)$/.test(req.url ?? '') || (req.url ?? '').includes('/assets/');
  const headers = {
    'Content-Type': isStatic ? 'text/css' : 'text/html',
    'Cache-Control': isStatic ? 'public, max-age=86400' : 'max-age=60',
    'X-Who': isVictim(req) && isAccount ? SECRET : 'nobody',
  };
  res.writeHead(200, headers).end(isVictim(req) && isAccount ? `account: ${SECRET}` : 'please sign in');
}

beforeEach(() => at.origin.handle('*', careless));

/** Does the origin bend this path to the account at all? Else the try proves nothing. */
const reaches = (target: string): boolean => bent(target).includes('account');

const CREDENTIALS: [name: string, headers: Record<string, string>][] = [
  ['a session cookie', { Cookie: 'session=s3cret' }],
  ['a session cookie among others', { Cookie: 'consent=yes; sid=s3cret; theme=dark' }],
  ['Authorization', { Authorization: 'Bearer s3cret' }],
  ['a cookie the site does not know', { Cookie: 'unknown_login=s3cret' }],
];

test(`deception is tried with ${DECEPTION.length} paths, nearly all of which reach the account`, () => {
  expect(DECEPTION.filter(reaches).length).toBeGreaterThanOrEqual(60);
});

describe.each(CREDENTIALS)('a victim with %s', (name, headers) => {
  test('leaves nothing for the one who sent the link', async () => {
    const leaks: string[] = [];
    let seen = 0;
    for (const path of DECEPTION) {
      const who = `who=${CREDENTIALS.findIndex(([other]) => other === name)}`;
      const target = `${path}${path.includes('?') ? '&' : '?'}${who}`;
      const victim = await ask(at.edge, target, { headers });
      if (victim.text.includes(SECRET)) seen += 1;
      for (const colo of [0, 1]) {
        const attacker = await ask(at.edge, target, {}, colo);
        const said = `${JSON.stringify(attacker.rawHeaders)}${attacker.text}`;
        if (said.includes(SECRET)) leaks.push(`${target} colo ${colo}: ${attacker.headers['cache-status']}`);
      }
    }
    expect(leaks).toEqual([]);
    // The victim saw the account, so there was something to leak; an unknown cookie never reaches home at all.
    if (name.includes('does not know')) expect(seen).toBe(0);
    else expect(seen).toBeGreaterThanOrEqual(60);
  });
});

test('different paths never share an answer, whatever they decode to', async () => {
  at.origin.handle('*', (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=600' }).end(`target ${req.url}`);
  });
  const pairs = [
    ['/a%2fb', '/a/b'],
    ['/a%2Fb', '/a/b'],
    ['/a%3fb', '/a?b'],
    ['/a%23b', '/a'],
    ['/a%00b', '/a'],
    ['/a;b', '/a'],
    ['/a%3bb', '/a;b'],
    ['/A', '/a'],
    ['/a/', '/a'],
    ['/a//b', '/a/b'],
    ['/a%252fb', '/a%2fb'],
    ['/a%5cb', '/a/b'],
    ['/a%20b', '/a+b'],
    ['/a?x=1%26y=2', '/a?x=1&y=2'],
    ['/a?x=%31;y=2', '/a?x=1&y=2'],
    ['/a?x', '/a?x='],
    ['/a?x=1&x=2', '/a?x=2&x=1'],
  ];
  for (const [one = '', other = ''] of pairs) {
    const first = await ask(at.edge, one);
    const second = await ask(at.edge, other);
    expect(first.text, `${one} and ${other}`).not.toBe(second.text);
  }
});

test('equal writings of one path share an answer', async () => {
  at.origin.handle('*', (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=600' }).end(`target ${req.url}`);
  });
  at.origin.forget();
  const same = ['/eq/%7euser?b=2&a=1', '/eq/~user?a=1&b=2', '/eq/%7Euser?a=%31&b=2', '/eq/x/../~user?a=1&utm_x=y&b=2'];
  const answers = [];
  for (const path of same) answers.push((await ask(at.edge, path)).text);
  expect(answers).toEqual(same.map(() => 'target /eq/~user?a=1&b=2'));
  expect(at.origin.count()).toBe(1);
});
