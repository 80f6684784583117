import { Readable } from 'node:stream';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { digestTokens } from '../../shared/access/bearer.ts';
import type { BridgeEnv } from '../http/env.ts';
import { mountSummaryRoutes } from './routes.ts';

test('a thread that has to be read is waited for until the deadline', async () => {
  const app = new Hono<BridgeEnv>();
  const tokens = await digestTokens([{ name: 'test', secret: 'a-token' }], crypto.subtle);
  const nothing = () => Promise.reject(new Error('not asked for'));
  mountSummaryRoutes(app, {
    gate: { tokens, google: null, access: null, subtle: crypto.subtle, now: Date.now },
    service: { begin: nothing },
    jobs: { accept: nothing, read: nothing },
    source: { thread: () => new Promise(() => {}), close: async () => {} },
    now: Date.now,
    newId: () => crypto.randomUUID(),
    heartbeatMs: 10_000,
    accepted: () => {},
    paceMs: () => 0,
  });
  const incoming = Readable.from([Buffer.from(JSON.stringify({ threadId: 'post-1', options: { deadlineMs: 300 } }))]);
  const headers = { authorization: 'Bearer a-token' };
  const response = await app.request('/v1/summaries', { method: 'POST', headers }, { incoming });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.json()).toMatchObject({ error: { code: 'comment-source-unreachable' } });
}, 30_000);
