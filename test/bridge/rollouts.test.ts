import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newDataDirectory, startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { FakeDeployment } from '../support/kubernetes-api/deployment.ts';
import { type KubernetesApi, startKubernetesApi } from '../support/kubernetes-api/server.ts';

let api: KubernetesApi;
let edge: EdgeStandIn;
let bridge: TestBridge | null = null;
let directory: string;
let data: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porchlight-rollouts-'));
  data = await newDataDirectory();
  api = await startKubernetesApi();
  edge = await startEdgeStandIn();
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig);
}, 60_000);
afterEach(async () => {
  await bridge?.stop();
  bridge = null;
  await edge.close();
  await api.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

const start = async (env: Record<string, string> = {}) => {
  bridge = await startTestBridge(
    {
      EDGE_URL: edge.url,
      EDGE_TOKEN: edge.token,
      PUBLIC_URL: 'https://blog.example',
      KUBECONFIG: join(directory, 'kubeconfig'),
      ...env,
    },
    { data },
  );
};
const restart = async () => {
  await bridge?.stop(true);
  await start();
};
const purged = (count: number) => until(`${count} purges`, () => edge.purges.length >= count);
/** Long enough for an event to have had an effect, were it to have one: the deployment's decision is shown. */
const decided = (reason: string) =>
  until(`decision ${reason}`, async () => {
    const status = (await (await bridge?.call('/v1/status'))?.json()) as { rollouts: { reason: string }[] };
    return status.rollouts.some((rollout) => rollout.reason.startsWith(reason));
  });
const hint = async () => (await bridge?.call('/v1/hooks/argocd', { method: 'POST', body: '{"app":"blog"}' }))?.json();
const watching = () => until('a watch', () => api.counts.watches > 0);

describe('publishing', () => {
  test('a rollout is purged and warmed at once when it is complete, once', async () => {
    const blog = new FakeDeployment(api, {
      annotations: {
        'porchlight.dev/tags': 'type:html, post',
        'porchlight.dev/warm': 'https://blog.example/sitemap.xml',
      },
    });
    blog.rollOut('registry.example/blog:1.0.0');
    await start();
    await purged(1);
    await watching();
    const from = performance.now();
    blog.rollOut('registry.example/blog:1.1.0');
    await purged(2);
    await until('warmed', () => edge.warmed.length >= 2);
    const took = performance.now() - from;
    // A second is the promise, which the bench measures; a busy machine may take longer.
    expect(took).toBeLessThan(5000);
    expect(edge.purges.at(-1)).toMatchObject({ tags: ['type:html', 'post'], mode: 'invalidate' });
    expect(edge.warmed.at(-1)).toEqual({ sitemap: 'https://blog.example/sitemap.xml' });
    await hint();
    await decided('already-published');
    expect(edge.purges).toHaveLength(2);
  }, 60_000);

  test('neither scaling, annotations, restarts of the bridge nor replays publish again', async () => {
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1.0.0');
    await start();
    await purged(1);
    blog.scale(3);
    blog.complete();
    blog.annotate({ 'porchlight.dev/tags': 'other' });
    await decided('already-published');
    await restart();
    await decided('already-published');
    expect(edge.purges).toHaveLength(1);
  }, 60_000);

  test('what is completed while the bridge is away is published when it is back', async () => {
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1.0.0');
    await start();
    await purged(1);
    await bridge?.stop(true);
    blog.rollOut('registry.example/blog:1.1.0');
    await start();
    await purged(2);
    expect(edge.purges).toHaveLength(2);
  }, 60_000);

  test('half-finished, failed and undone rollouts purge nothing; one undone after it served does', async () => {
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1.0.0');
    await start();
    await purged(1);
    await watching();
    blog.setImage('registry.example/blog:bad');
    blog.status({
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 2,
      availableReplicas: 2,
      progressing: 'ReplicaSetUpdated',
    });
    await decided('updating');
    blog.status({
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 2,
      availableReplicas: 2,
      progressing: 'ProgressDeadlineExceeded',
    });
    await decided('progress-deadline-exceeded');
    blog.setImage('registry.example/blog:1.0.0');
    blog.complete();
    await decided('already-published');
    expect(edge.purges).toHaveLength(1);

    blog.setImage('registry.example/blog:worse');
    blog.status({
      replicas: 3,
      updatedReplicas: 1,
      readyReplicas: 3,
      availableReplicas: 3,
      progressing: 'ReplicaSetUpdated',
    });
    await decided('new-pods-serve');
    await restart();
    blog.setImage('registry.example/blog:1.0.0');
    blog.complete();
    await purged(2);
    await hint();
    await decided('already-published');
    expect(edge.purges).toHaveLength(2);
  }, 60_000);

  test('only labelled Deployments count, and one that names no tags is shown as misconfigured', async () => {
    new FakeDeployment(api, { name: 'other', labels: { app: 'other' } }).rollOut('registry.example/other:1');
    new FakeDeployment(api, { name: 'vague', annotations: {} }).rollOut('registry.example/vague:1');
    new FakeDeployment(api, { name: 'all', annotations: { 'porchlight.dev/tags': '*' } }).rollOut(
      'registry.example/all:1',
    );
    await start();
    await purged(1);
    await decided('annotations porchlight.dev/');
    expect(edge.purges).toEqual([expect.objectContaining({ everything: true })]);
  }, 60_000);

  test('annotations and images that cannot be stored hold up nobody, and are shown', async () => {
    const annotations = { 'porchlight.dev/tags': 'a', 'porchlight.dev/warm': 'https://blog.example/\u0000' };
    new FakeDeployment(api, { name: 'a-annotation', annotations }).rollOut('registry.example/a:1');
    new FakeDeployment(api, { name: 'b-image' }).rollOut('registry.example/b:1\u0000');
    new FakeDeployment(api, { name: 'c-good' }).rollOut('registry.example/c:1');
    await start();
    await purged(1);
    await decided('annotations porchlight.dev/{tags,prefixes,warm}: warm.urls.0: an absolute http');
    await decided('annotations or images hold what the store cannot');
    expect(bridge?.logs.some((line) => line.includes('annotations or images hold'))).toBe(true);
  }, 60_000);

  test('a warm URL of a stranger is not fetched', async () => {
    const warm = 'http://169.254.169.254/latest, https://blog.example/';
    new FakeDeployment(api, { annotations: { 'porchlight.dev/tags': 'a', 'porchlight.dev/warm': warm } }).rollOut(
      'blog:1',
    );
    await start();
    await until('warmed', () => edge.warmed.length >= 1);
    expect(edge.warmed).toEqual([{ urls: ['https://blog.example/'] }]);
  }, 60_000);
});

describe('the watch', () => {
  test('goes on after 410, a dropped connection, an API server restart', async () => {
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1');
    await start();
    await purged(1);
    await watching();

    api.dropWatches();
    blog.rollOut('registry.example/blog:2');
    await purged(2);

    await api.restart(700);
    blog.rollOut('registry.example/blog:3');
    await purged(3);

    await until('a watch again', () => api.counts.watches >= 3);
    api.store.compact();
    api.dropWatches();
    blog.rollOut('registry.example/blog:4');
    api.store.compact();
    await purged(4);
    expect(edge.purges).toHaveLength(4);
  }, 90_000);

  test('begins as soon as a failing first list succeeds, and says meanwhile what is wrong', async () => {
    api.faults.listStatus = 403;
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1');
    await start();
    await until('the failure is known', () => bridge?.logs.some((line) => line.includes('status 403')) ?? false);
    api.faults.listStatus = null;
    await purged(1);
  }, 60_000);

  test('that is silently dead does not matter when a hook hints', async () => {
    const key = 'flux-example-key-0123456789';
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1');
    api.faults.silent = true;
    await start({ FLUX_HMAC_KEY: key });
    await purged(1);
    await watching();
    blog.rollOut('registry.example/blog:2');
    expect(await hint()).toEqual({ accepted: true, reconcile: 'triggered' });
    await purged(2);
  }, 60_000);

  test('bookmarks keep the position: an expired history behind one is no loss', async () => {
    const blog = new FakeDeployment(api);
    blog.rollOut('registry.example/blog:1');
    await start();
    await purged(1);
    await watching();
    api.store.compact();
    api.bookmark();
    const { lists, watches } = api.counts;
    await new Promise((resolve) => setTimeout(resolve, 200));
    api.dropWatches();
    await until('a watch again', () => api.counts.watches > watches);
    blog.rollOut('registry.example/blog:2');
    await purged(2);
    expect(api.counts.lists).toBe(lists);
  }, 60_000);
});
