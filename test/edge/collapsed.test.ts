import { expect, test } from 'vitest';
import { poll, sleep } from '../support/program.ts';
import { ask, home, pageBody, pool, purge } from './support.ts';

/** Readers who wait together for one answer: what holds for one of them is not given to the others. */
const at = home({ args: ['--miss-limit', '5'] });
const all = home({ forward: 'all' });

const PAGES = 20;
const ONLY_IF_CACHED = { 'Cache-Control': 'only-if-cached' };

/** Three requests of one kind, and a plain one right behind them. */
async function behind(path: string, headers: Record<string, string>, own: Record<string, string>) {
  const others = [1, 2, 3].map(() => ask(at.edge, path, { headers }));
  const reader = await ask(at.edge, path, { headers: own });
  return { reader, others: await Promise.all(others) };
}

const from = (address: string): Record<string, string> => ({ 'CF-Connecting-IP': address });

test('only-if-cached asks nobody, refuses nobody else, and takes no page a purge has overtaken', async () => {
  const paths = Array.from({ length: PAGES }, (_, i) => `/cold/${i}`);
  for (const version of [1, 2]) {
    for (const path of paths) at.origin.publish(path, pageBody(path, version));
    if (version === 2) await purge(at.edge, { everything: true });
    const seen = await pool(paths, 1, (path) => behind(path, ONLY_IF_CACHED, from(`192.0.2.${paths.indexOf(path)}`)));
    expect(seen.filter(({ reader }, i) => reader.text !== pageBody(paths[i] ?? '', version))).toEqual([]);
    // They have the page, new, from the others' request, or are told that it is not there.
    const said = seen.flatMap(({ others }, i) =>
      others.map(({ status, text }) => (status === 200 ? text === pageBody(paths[i] ?? '', version) : status)),
    );
    expect(said.filter((one) => one !== true && one !== 504)).toEqual([]);
  }
  expect(at.origin.count()).toBe(2 * PAGES);
  at.origin.publish('/never', 'x');
  expect((await ask(at.edge, '/never', { headers: ONLY_IF_CACHED })).status).toBe(504);
  expect((await ask(at.edge, '/never', { headers: { ...ONLY_IF_CACHED, Range: 'bytes=0-0' } })).status).toBe(504);
  expect(at.origin.count('/never')).toBe(0);
});

test('a client past its limit is refused alone', async () => {
  const limited = from('198.51.100.66');
  at.origin.handle('*', (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=600' }).end('page');
  });
  for (let i = 0; i < 7; i += 1) await ask(at.edge, `/used/${i}`, { headers: limited });
  expect((await ask(at.edge, '/used/more', { headers: limited })).status).toBe(429);
  const paths = Array.from({ length: PAGES }, (_, i) => `/wanted/${i}`);
  const seen = await pool(paths, 1, (path) => behind(path, limited, from(`203.0.113.${paths.indexOf(path)}`)));
  expect(seen.map(({ reader }) => reader.status)).toEqual(Array(PAGES).fill(200));
  expect(paths.map((path) => at.origin.count(path))).toEqual(Array(PAGES).fill(1));
  // What others' requests bring is there for it as well.
  expect((await ask(at.edge, '/wanted/0', { headers: limited })).status).toBe(200);
});

test('a crowd that waits with a client past its limit asks home once', async () => {
  const limited = from('198.51.100.66');
  const readers = Array.from({ length: 100 }, (_, i) =>
    ask(at.edge, '/crowd', { headers: i % 10 === 0 ? limited : from(`203.0.113.${100 + i}`) }),
  );
  const statuses = (await Promise.all(readers)).map(({ status }) => status);
  expect(statuses.filter((status, i) => i % 10 !== 0 && status !== 200)).toEqual([]);
  expect(at.origin.count('/crowd')).toBe(1);
});

test.each(['hang', 'reset'] as const)(
  'home fails (%s): nobody is given another variant’s copy (RFC 9111 §4.1)',
  async (kind) => {
    const path = `/account/${kind}`;
    const as = (who: string) => ask(all.edge, path, { headers: { Cookie: `who=${who}` }, timeoutMs: 60_000 });
    all.origin.handle(path, (req, res) => {
      res
        .writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'max-age=1', Vary: 'Cookie' })
        .end(`account of ${req.headers.cookie}`);
    });
    expect((await as('alice')).text).toBe('account of who=alice');
    expect((await as('bob')).text).toBe('account of who=bob');
    await sleep(1_500);
    const before = all.origin.count(path);
    all.origin.handle(path, (req) => void (kind === 'reset' && setTimeout(() => req.socket.destroy(), 1_000)));
    const alice = as('alice');
    expect(await poll(() => all.origin.count(path) > before, 10_000, 5)).toBe(true);
    const [bob, mallory] = await Promise.all([as('bob'), as('mallory')]);
    expect([(await alice).text, bob.text]).toEqual(['account of who=alice', 'account of who=bob']);
    expect([mallory.status >= 500, mallory.text.includes('account of')]).toEqual([true, false]);
  },
);
