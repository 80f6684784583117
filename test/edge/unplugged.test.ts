import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Edge, startEdge } from '../support/edge.ts';
import { Origin } from '../support/origin.ts';
import { poll, sleep } from '../support/program.ts';
import { admin, ask, LONG, ndjson, pageBody, pool, spread } from './support.ts';

const PAGES = 200;
/** Far above what is measured: the figures are printed, only a reader who waits for a dead home is an error. */
const FIRST_BYTE_BOUND_MS = 1_000;

vi.setConfig(LONG);

const paths = Array.from({ length: PAGES }, (_, i) => `/posts/${i}/`);
/** From 200 bytes to 80 kB, as a blog has them. */
const bodies = new Map(paths.map((path, i) => [path, pageBody(path, 1, 200 + ((i * 397) % 80_000))]));

let origin: Origin;
let data: string;
let edge: Edge | undefined;

const running = (): Edge => {
  if (edge === undefined) throw new Error('The edge does not run.');
  return edge;
};

/** A site of three kinds: soon stale without leave, the blog's own defaults (no word on caching), and long fresh. */
function publishSite(): void {
  // An empty list sends no field at all.
  const kinds = [['max-age=1'], [], ['max-age=3600']];
  paths.forEach((path, i) => {
    const headers = { 'Cache-Tag': `post:${i}`, 'Cache-Control': kinds[i % 3] ?? [] };
    origin.publish(path, bodies.get(path) ?? '', headers);
  });
  const urls = paths.map((path) => `<url><loc>http://localhost${path}</loc></url>`).join('\n');
  const sitemap = `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls}</urlset>`;
  origin.publish('/sitemap.xml', sitemap, { 'Content-Type': 'application/xml' });
}

async function breaker(colo: number): Promise<string | undefined> {
  const { text } = await ask(running(), '/.porchlight/health', {}, colo);
  return (JSON.parse(text) as { upstreams: Record<string, { breaker: string }> }).upstreams.blog?.breaker;
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'porchlight-unplugged-'));
  origin = await Origin.start();
  publishSite();
  edge = await startEdge({ origin: origin.url, data });
});
afterAll(async () => {
  await edge?.stop();
  await origin.close();
  await rm(data, { recursive: true, force: true });
});

describe('a site of 200 pages with home unplugged', () => {
  test('is warmed from its sitemap', async () => {
    const answer = await admin(running(), 'warm', { sitemap: '/sitemap.xml' });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/x-ndjson');
    const lines = ndjson(answer.text);
    expect(lines.at(-1)).toEqual({ done: true, warmed: PAGES, failed: 0 });
    expect(lines).toHaveLength(PAGES + 1);
    expect(paths.filter((path) => origin.count(path) !== 1)).toEqual([]);
  });

  test('is whole in a restarted data centre and in one that never served a reader', async () => {
    await origin.kill();
    await running().kill9();
    // Past the short freshness, so that a third of the site may only be used because home is away.
    await sleep(1_100);
    edge = await startEdge({ origin: origin.url, data, colos: 2 });
    for (const colo of [0, 1]) {
      const answers = await pool(paths, 8, async (path) => ({ path, answer: await ask(running(), path, {}, colo) }));
      const wrong = answers.filter(({ path, answer }) => answer.status !== 200 || answer.text !== bodies.get(path));
      expect(wrong.map(({ path, answer }) => `${path} ${answer.status} ${answer.headers['cache-status']}`)).toEqual([]);
      expect(answers.every(({ answer }) => answer.complete)).toBe(true);
    }
  });

  test('answers at once after the breaker has opened', async () => {
    for (const colo of [0, 1]) {
      const stale = (i: number) => paths[(i * 3) % PAGES] ?? '/';
      let tries = 0;
      const open = async () => {
        await ask(running(), stale(tries++), {}, colo);
        return (await breaker(colo)) === 'open';
      };
      expect(await poll(open, 30_000)).toBe(true);
      const answers = await pool(paths, 1, (path) => ask(running(), path, {}, colo));
      expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
      const { median, p95, max } = spread(answers.map(({ firstByteMs }) => firstByteMs));
      const ms = [median, p95, max].map((value) => value.toFixed(1));
      console.log(`unplugged colo ${colo + 1}: first byte median ${ms[0]} ms, p95 ${ms[1]} ms, max ${ms[2]} ms`);
      expect(median).toBeLessThan(FIRST_BYTE_BOUND_MS);
    }
  });

  test('says plainly that a page was never stored, and stores nothing of that', async () => {
    for (const colo of [0, 1]) {
      const answer = await ask(running(), '/never/stored', {}, colo);
      expect(answer.status).toBe(503);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(answer.headers['content-type']).toContain('text/html');
      expect(answer.text).toContain('Nobody home');
      expect((await ask(running(), '/never/stored', { method: 'HEAD' }, colo)).status).toBe(503);
    }
  });

  test('comes back by itself when home does', async () => {
    await origin.restart();
    origin.publish('/never/stored', 'now it is there');
    for (const colo of [0, 1]) {
      const back = async () => (await ask(running(), '/never/stored', {}, colo)).text === 'now it is there';
      expect(await poll(back, 60_000, 250)).toBe(true);
    }
  });
});
