import { Agent } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import { get } from '../support/http.ts';
import { sleep } from '../support/program.ts';
import { ask, home, pageBody, portOf, purge, TRUST_MS } from './support.ts';

const COLOS = 5;
const READERS = 1_000;

/** Readers of a stale page wait for home here: how long they would is not the question, and depends on the machine. */
const PORCHLIGHT_VARS = JSON.stringify({ STALE_WAIT_MS: '20000' });
const at = home({ colos: COLOS, env: { PORCHLIGHT_VARS } });
const agent = new Agent({ keepAlive: true, maxSockets: READERS });
afterAll(() => agent.destroy());

/** A thousand readers at once, spread over the data centres: how many got exactly this body, and what else was said. */
async function crowd(path: string, body: string): Promise<{ right: number; others: string[] }> {
  const readers = Array.from({ length: READERS }, (_, i) =>
    get(portOf(at.edge, i % COLOS), path, { agent, timeoutMs: 60_000 }).then(
      (answer) => (answer.status === 200 && answer.complete && answer.text === body ? 'right' : describe(answer)),
      (error: unknown) => String(error),
    ),
  );
  const said = await Promise.all(readers);
  const others = said.filter((word) => word !== 'right');
  return { right: READERS - others.length, others: [...new Set(others)] };
}

const describe = (answer: { status: number; text: string; headers: Record<string, string> }): string =>
  `${answer.status} ${answer.headers['cache-status']} ${answer.text.slice(0, 80)}`;

const ALL_RIGHT = { right: READERS, others: [] };

test('a cold page costs home one request, and so does a new version', async () => {
  const first = pageBody('/quiet', 1, 12_000);
  at.origin.publish('/quiet', first);
  expect(await crowd('/quiet', first)).toEqual(ALL_RIGHT);
  expect(at.origin.count('/quiet')).toBe(1);

  const second = pageBody('/quiet', 2, 12_000);
  at.origin.publish('/quiet', second);
  await purge(at.edge, { urls: ['/quiet'] }, 2);
  await sleep(TRUST_MS);
  expect(await crowd('/quiet', second)).toEqual(ALL_RIGHT);
  expect(at.origin.count('/quiet')).toBe(2);
});

test('a page that did not change costs one validation after an invalidation', async () => {
  const body = pageBody('/same', 1, 12_000);
  at.origin.publish('/same', body, { 'Cache-Tag': 'same' });
  expect(await crowd('/same', body)).toEqual(ALL_RIGHT);
  await purge(at.edge, { tags: ['same'] }, 4);
  await sleep(TRUST_MS);
  expect(await crowd('/same', body)).toEqual(ALL_RIGHT);
  const seen = at.origin.seen.filter(({ path }) => path === '/same');
  expect(seen.map(({ status }) => status)).toEqual([200, 304]);
});

test('a slow home is asked once as well', async () => {
  const body = pageBody('/slow', 1, 12_000);
  at.origin.publish('/slow', body);
  at.origin.fault('/slow', { kind: 'delay', ms: 1_000 });
  expect(await crowd('/slow', body)).toEqual(ALL_RIGHT);
  expect(at.origin.count('/slow')).toBe(1);

  const next = pageBody('/slow', 2, 12_000);
  at.origin.publish('/slow', next);
  await purge(at.edge, { urls: ['/slow'] });
  await sleep(TRUST_MS);
  expect(await crowd('/slow', next)).toEqual(ALL_RIGHT);
  expect(at.origin.count('/slow')).toBe(2);
});

test('the first reader may leave in mid-body: the others get the whole page from one request', async () => {
  const body = pageBody('/left', 1, 60_000);
  at.origin.publish('/left', body);
  at.origin.fault('/left', { kind: 'drip', chunkBytes: 6_000, everyMs: 150 });
  const first = ask(at.edge, '/left', { leaveAfterBytes: 1 });
  const arrived = () => at.origin.count('/left') > 0;
  while (!arrived()) await sleep(5);
  const others = crowd('/left', body);
  expect((await first).complete).toBe(false);
  expect(await others).toEqual(ALL_RIGHT);
  expect(at.origin.count('/left')).toBe(1);
});

test('a page that may not be shared is asked for by every reader, and nobody gets another one', async () => {
  let asked = 0;
  at.origin.handle('/own', (_req, res) => {
    asked += 1;
    res.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'private' }).end(`yours: ${asked}`);
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => get(portOf(at.edge, i % COLOS), '/own', { agent })),
  );
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(100);
});
