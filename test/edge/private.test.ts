import { expect, test } from 'vitest';
import type { Answer, AskOptions } from '../support/http.ts';
import { sleep } from '../support/program.ts';
import { ask, home, pool } from './support.ts';

/** Responses and requests of one person: what home says to it, and how it was asked. */
const at = home({ colos: 2 });

const HTML = { 'Content-Type': 'text/html' };
const cookie = (value: string) => ({ headers: { Cookie: value } });

const PERSONAL: [name: string, response: Record<string, string | string[]>, request: AskOptions][] = [
  ['Set-Cookie', { 'Cache-Control': 'public, max-age=600', 'Set-Cookie': 'id=1; Path=/' }, {}],
  ['Set-Cookie with a rule for its type', { 'Set-Cookie': ['a=1', 'b=2'] }, {}],
  ['private', { 'Cache-Control': 'private, max-age=600' }, {}],
  ['Private in capitals', { 'Cache-Control': 'Private' }, {}],
  ['private in a second field', { 'Cache-Control': ['max-age=600', 'private'] }, {}],
  ['no-store', { 'Cache-Control': 'no-store' }, {}],
  ['no-store beside max-age', { 'Cache-Control': 'max-age=600, no-store' }, {}],
  ['targeted no-store over a public one', { 'Cache-Control': 'max-age=600', 'CDN-Cache-Control': 'no-store' }, {}],
  ['targeted private', { 'Cache-Control': 'max-age=600', 'Cloudflare-CDN-Cache-Control': 'private' }, {}],
  ['Vary: *', { 'Cache-Control': 'max-age=600', Vary: '*' }, {}],
  ['Vary: * among others', { 'Cache-Control': 'max-age=600', Vary: 'Accept, *' }, {}],
  ['Authorization', { 'Cache-Control': 'max-age=600' }, { headers: { Authorization: 'Bearer reader' } }],
  [
    'Authorization, public',
    { 'Cache-Control': 'public, max-age=600' },
    { headers: { Authorization: 'Basic cmVhZGVy' } },
  ],
  ['Authorization, s-maxage', { 'Cache-Control': 's-maxage=600' }, { headers: { authorization: 'Digest x' } }],
  ['session cookie', { 'Cache-Control': 'max-age=600' }, cookie('session=s3cret')],
  ['session cookie among others', { 'Cache-Control': 'max-age=600' }, cookie('theme=dark; sessionid=s3cret; x=1')],
  ['login cookie of WordPress', { 'Cache-Control': 'max-age=600' }, cookie('wordpress_logged_in_abc=s3cret')],
  ['cookie of Access', { 'Cache-Control': 'max-age=600' }, cookie('CF_Authorization=s3cret')],
  ['cookie without a space before it', { 'Cache-Control': 'max-age=600' }, cookie('a=1;token=s3cret')],
  [
    'cookies in two fields',
    { 'Cache-Control': 'max-age=600' },
    {
      headers: [
        ['Cookie', 'a=1'],
        ['Cookie', 'sid=s3'],
      ],
    },
  ],
  ['a body on GET', { 'Cache-Control': 'max-age=600' }, { body: 'for=me' }],
  ['an event stream', { 'Cache-Control': 'max-age=600', 'Content-Type': 'text/event-stream' }, {}],
];

test.each(PERSONAL)('%s: stored nowhere', async (name, response, request) => {
  const path = `/personal/${PERSONAL.findIndex(([other]) => other === name)}`;
  let served = 0;
  const serve = (text: string, headers: Record<string, string | string[]>) =>
    at.origin.handle(path, (_req, res) => {
      served += 1;
      res.writeHead(200, { ...HTML, ...headers }).end(text);
    });
  serve('for the first reader alone', response);
  const first = await ask(at.edge, path, request);
  expect([first.status, first.text]).toEqual([200, 'for the first reader alone']);
  // Everyone else, in this data centre and the other, gets what home says now.
  serve('for everyone', { 'Cache-Control': 'no-store' });
  for (const colo of [0, 1]) expect((await ask(at.edge, path, {}, colo)).text).toBe('for everyone');
  expect(served).toBe(3);
  at.origin.handle(path, null);
});

test.each(['private', 'no-store', 'private, max-age=600'])(
  'a stored page whose validation says %s is in the store no more',
  async (said) => {
    const path = `/members/${encodeURIComponent(said)}`;
    at.origin.publish(path, 'open to all', { 'Cache-Control': 'max-age=1' });
    for (const colo of [0, 1]) expect((await ask(at.edge, path, {}, colo)).text).toBe('open to all');
    // The body stays, so a validation is answered 304: with it, home takes back its leave to share.
    at.origin.publish(path, 'open to all', { 'Cache-Control': said });
    await sleep(1_100);
    const first = await ask(at.edge, path);
    expect([first.status, first.text]).toEqual([200, 'open to all']);
    expect(at.origin.seen.at(-1)?.headers['if-none-match']).toBeDefined();
    for (const colo of [0, 0, 1, 1]) {
      const before = at.origin.count(path);
      const { headers } = await ask(at.edge, path, {}, colo);
      expect([headers['cache-status'], at.origin.count(path)]).toEqual([expect.any(String), before + 1]);
    }
  },
);

test('none of it comes up in an outage', async () => {
  const paths = PERSONAL.map((_, i) => `/personal/${i}`);
  await at.origin.kill();
  try {
    for (const colo of [0, 1]) {
      const answers = await pool(paths, 4, (path) => ask(at.edge, path, {}, colo));
      const shown = (answer: Answer) => answer.status < 500 || /alone|everyone/.test(answer.text);
      expect(answers.filter(shown).map(({ text }) => text)).toEqual([]);
    }
  } finally {
    await at.origin.restart();
  }
});
