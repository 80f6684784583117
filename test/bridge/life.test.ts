import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { BRIDGE_TOKEN, newDataDirectory, until } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { type Child, freePort, startChild } from '../support/process.ts';

let edge: EdgeStandIn | null = null;
let bridge: Child | null = null;
let data = '';
afterEach(async () => {
  await bridge?.kill('SIGKILL');
  await edge?.close();
  if (data) rmSync(data, { recursive: true, force: true });
  bridge = null;
  edge = null;
});

const purge = (port: number, tag: string) =>
  fetch(`http://127.0.0.1:${port}/v1/purge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${BRIDGE_TOKEN}` },
    body: JSON.stringify({ id: `life-${tag}`, tags: [tag] }),
  }).then((response) => response.status);

test('every configuration error is told at once, and none of the secrets', async () => {
  bridge = startChild(process.execPath, ['bridge/main.ts', '--port', 'many'], {
    BRIDGE_TOKENS: 'ci:hunter2',
    LOG_LEVEL: 'loud',
  });
  expect(await bridge.ended).toBe(2);
  expect(bridge.output()).toMatch(
    /--port: "many"[\s\S]*BRIDGE_TOKENS: the token of ci is shorter[\s\S]*LOG_LEVEL: "loud"/,
  );
  expect(bridge.output()).not.toContain('hunter2');
});

test('SIGTERM stops intake, ends what is under way, and leaves the rest for the next start', async () => {
  edge = await startEdgeStandIn();
  edge.fault = () => 'down';
  data = await newDataDirectory();
  const port = await freePort();
  const env = { EDGE_URL: edge.url, EDGE_TOKEN: edge.token, LOG_LEVEL: 'info', GRACE_SECONDS: '20' };
  bridge = await startBridgeProcess(port, data, env);
  const answers: Promise<number | string>[] = [];
  for (let index = 0; index < 200; index++) answers.push(purge(port, `tag-${index}`).catch(() => 'refused'));
  await until('some accepted', () => edge !== null && edge.calls > 0);
  const from = performance.now();
  bridge.process.kill('SIGTERM');
  expect(await bridge.ended).toBe(0);
  expect(performance.now() - from).toBeLessThan(10_000);
  const accepted = (await Promise.all(answers)).filter((status) => status === 202).length;
  expect(accepted).toBeGreaterThan(0);
  expect(await purge(port, 'too-late').catch(() => 'refused')).toBe('refused');
  for (const line of bridge.output().trim().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
  expect(bridge.output()).toContain('"stopped"');

  edge.fault = null;
  bridge = await startBridgeProcess(port, data, env);
  const delivered = () => new Set(edge?.purges.flatMap(({ tags }) => tags ?? []));
  await until('all delivered', () => delivered().size >= accepted);
}, 90_000);

test('killed while the store is being made, it makes it again', async () => {
  data = mkdtempSync(join(tmpdir(), 'porchlight-first-start-'));
  const port = await freePort();
  for (const ms of [600, 1500, 2500]) {
    bridge = startChild(process.execPath, ['bridge/main.ts', '--port', String(port), '--data', data]);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await bridge.kill('SIGKILL');
  }
  bridge = await startBridgeProcess(port, data, {});
  expect(await purge(port, 'first')).toBe(202);
}, 90_000);
