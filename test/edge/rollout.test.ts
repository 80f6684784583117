import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestBridge, until } from '../support/bridge.ts';
import { EDGE_TOKEN, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { FakeDeployment } from '../support/kubernetes-api/deployment.ts';
import { startKubernetesApi } from '../support/kubernetes-api/server.ts';
import { Origin } from '../support/origin.ts';
import { sleep } from '../support/program.ts';

const CHANGED = ['/', '/posts/a', '/posts/b', '/posts/c'];
const UNCHANGED = '/about';
const READERS = 40;
/** A read is old where it began after the same data centre had shown the new page to somebody. */
interface Read {
  path: string;
  began: number;
  ended: number;
  isNew: boolean;
}

test('a rollout publishes itself: read by everyone at once, warmed, each changed page asked for once', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'porchlight-rollout-'));
  const origin = await Origin.start();
  const api = await startKubernetesApi();
  const edge = await startEdge({ origin: origin.url });
  const port = edge.ports[0] ?? 0;
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig);
  const site = edge.url();
  const publish = (version: string) => {
    for (const path of CHANGED) {
      origin.publish(path, `${path} ${version}`, { 'Cache-Control': 'max-age=3600', 'Cache-Tag': 'post' });
    }
  };
  publish('one');
  origin.publish(UNCHANGED, 'about', { 'Cache-Control': 'max-age=3600', 'Cache-Tag': 'page' });
  const urls = [...CHANGED, UNCHANGED].map((path) => `<url><loc>${site}${path}</loc></url>`).join('');
  origin.publish('/sitemap.xml', `<?xml version="1.0"?><urlset>${urls}</urlset>`, {
    'Content-Type': 'application/xml',
    'Cache-Control': 'no-cache',
  });
  const blog = new FakeDeployment(api, {
    annotations: { 'porchlight.dev/tags': 'post', 'porchlight.dev/warm': `${site}/sitemap.xml` },
  });
  blog.rollOut('registry.example/blog:1.0.0');
  const bridge = await startTestBridge({
    EDGE_URL: site,
    EDGE_TOKEN,
    KUBECONFIG: join(directory, 'kubeconfig'),
  });
  const reads: Read[] = [];
  let reading = true;
  const reader = async (first: number) => {
    for (let n = first; reading; n += 1) {
      const path = CHANGED[n % CHANGED.length] ?? '/';
      const began = performance.now();
      const { text } = await get(port, path);
      reads.push({ path, began, ended: performance.now(), isNew: text === `${path} two` });
      await sleep(5);
    }
  };
  try {
    await until('a watch', () => api.counts.watches > 0);
    // The rollout that was there before the bridge is published too, and warmed: from here on the edge holds everything.
    const stored = async () => {
      const answers = await Promise.all([...CHANGED, UNCHANGED].map((path) => get(port, path)));
      return answers.every(({ headers }) => headers['cache-status']?.includes('; hit; ttl=') === true);
    };
    await until('everything stored', stored);
    await until('nothing under way', async () => {
      const seen = origin.seen.length;
      await sleep(1500);
      return seen === origin.seen.length;
    });
    origin.forget();
    const readers = Array.from({ length: READERS }, (_, n) => reader(n));
    await sleep(300);
    publish('two');
    const completed = performance.now();
    blog.rollOut('registry.example/blog:1.1.0');
    const shown = () =>
      CHANGED.map((path) => Math.min(...reads.filter((r) => r.path === path && r.isNew).map((r) => r.ended)));
    await until('the new pages', () => shown().every(Number.isFinite));
    const tookMs = Math.max(...shown()) - completed;
    await sleep(1500);
    reading = false;
    await Promise.all(readers);
    const old = reads.filter((read) => {
      const first = Math.min(...reads.filter((r) => r.path === read.path && r.isNew).map((r) => r.ended));
      return !read.isNew && read.began > first;
    });
    console.log(
      `rollout: new pages after ${tookMs.toFixed(0)} ms, ${reads.length} reads meanwhile, ${old.length} old after new`,
    );
    expect(old).toEqual([]);
    expect(CHANGED.map((path) => origin.count(path))).toEqual(CHANGED.map(() => 1));
    expect(origin.count(UNCHANGED)).toBe(0);
    // The promise is a second; a busy machine may take longer.
    expect(tookMs).toBeLessThan(10_000);
  } finally {
    reading = false;
    await bridge.stop();
    await edge.stop();
    await api.close();
    await origin.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
