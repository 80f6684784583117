import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BRIDGE_TOKEN } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { EDGE_TOKEN, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { Origin } from '../support/origin.ts';
import { freePorts } from '../support/ports.ts';
import { poll } from '../support/program.ts';

/** Both programs read the same `EDGE_TOKEN`, name and all, as they do under `npm start`. */
const SHARED = `ci:${EDGE_TOKEN}`;

test('a purge sent to the bridge through the edge reaches the ledger, and readers the new page with one origin request', async () => {
  const data = await mkdtemp(join(tmpdir(), 'porchlight-bridge-'));
  const edgePort = await freePorts(2);
  const bridgePort = edgePort + 1;
  const origin = await Origin.start();
  const edge = await startEdge({
    origin: origin.url,
    port: edgePort,
    bridge: `http://127.0.0.1:${bridgePort}`,
    env: { EDGE_TOKEN: SHARED, PORCHLIGHT_VARS: JSON.stringify({ ANY_HOST: 'false' }) },
  });
  const bridge = await startBridgeProcess(bridgePort, data, {
    EDGE_URL: `http://127.0.0.1:${edgePort}`,
    EDGE_TOKEN: SHARED,
  });
  try {
    const headers = { 'Cache-Control': 'max-age=3600', 'Cache-Tag': 'post:a' };
    const read = async () => (await get(edgePort, '/a', { headers: { Host: 'localhost' } })).text;
    origin.publish('/a', 'one', headers);
    expect(await read()).toBe('one');
    origin.publish('/a', 'two', headers);
    expect(await read()).toBe('one');

    const api = { Host: 'api.localhost', Authorization: `Bearer ${BRIDGE_TOKEN}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ tags: ['post:a'] });
    const accepted = await get(edgePort, '/v1/purge', { method: 'POST', headers: api, body });
    expect(accepted.status).toBe(202);
    const { id } = JSON.parse(accepted.text) as { id: string };
    const state = async () =>
      (JSON.parse((await get(edgePort, `/v1/purges/${id}`, { headers: api })).text) as { state: string }).state;
    expect(await poll(async () => (await state()) === 'delivered', 30_000)).toBe(true);
    expect(await read()).toBe('two');
    expect(origin.count('/a')).toBe(2);
  } finally {
    await bridge.kill('SIGKILL');
    await edge.stop();
    await origin.close();
    await rm(data, { recursive: true, force: true });
  }
});
