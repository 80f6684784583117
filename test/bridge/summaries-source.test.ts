import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BRIDGE_TOKEN, startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
let blog: Pool;
const bridges: TestBridge[] = [];
beforeAll(async () => {
  postgres = await startPostgres();
  blog = new Pool({ connectionString: postgres.url });
  await blog.query(`CREATE TABLE remark (id integer PRIMARY KEY, post text, answers integer, writer text, at timestamptz,
    changed timestamptz, likes bigint, words text)`);
  await blog.query(`CREATE VIEW porchlight_comments AS SELECT post AS thread_id, id, answers AS parent_id, writer AS author,
    at AS created_at, changed AS edited_at, likes AS votes, words AS text, 'A post' AS title FROM remark`);
  await blog.query(`INSERT INTO remark SELECT n, 'post-1', NULLIF(n - 1, 0), 'reader', now(), NULL, n,
    'This is what reader number ' || n || ' has to say about it.' FROM generate_series(1, 20) AS n`);
  await blog.query(
    `INSERT INTO remark SELECT 100 + n, 'post-huge', NULL, NULL, now(), NULL, NULL, 'Much.' FROM generate_series(1, 10001) AS n`,
  );
  await blog.query(`INSERT INTO remark VALUES (50, 'post-long', NULL, NULL, now(), NULL, NULL, repeat('x', 20001))`);
}, 120_000);
afterAll(async () => {
  for (const bridge of bridges) await bridge.stop();
  await blog.end();
  await postgres.stop();
});

const start = async (env: Record<string, string>) => {
  const bridge = await startTestBridge(env);
  bridges.push(bridge);
  return bridge;
};
const ask = (bridge: TestBridge, threadId: string, headers: Record<string, string> = {}) =>
  bridge.call('/v1/summaries', { method: 'POST', body: JSON.stringify({ threadId }), headers });
const codeOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error.code;

test('a thread is read by its id alone, also through PgBouncer', async () => {
  const bridge = await start({ COMMENTS_DATABASE_URL: postgres.pooledUrl });
  const response = await ask(bridge, 'post-1');
  expect(await response.json()).toMatchObject({ threadId: 'post-1', coverage: { comments: 20 } });
  for (const [id, status, code] of [
    ['post-none', 404, 'unknown-thread'],
    ['post-huge', 413, 'too-many-comments'],
    ['post-long', 503, 'comment-source-unusable'],
  ] as const) {
    const refused = await ask(bridge, id);
    expect([refused.status, await codeOf(refused)]).toEqual([status, code]);
  }
  const accepted = (await (await ask(bridge, 'post-1', { prefer: 'respond-async' })).json()) as { status: string };
  await until('the job is done', async () => {
    const job = (await (await bridge.call(accepted.status)).json()) as { state: string };
    return job.state === 'done';
  });
}, 60_000);

test('the blog’s own removal of a comment is moderation', async () => {
  const bridge = await start({ COMMENTS_DATABASE_URL: postgres.url });
  await blog.query(`INSERT INTO remark SELECT 30 + n, 'post-2', NULL, NULL, now(), NULL, NULL,
    'The secret word Zanzibar stands in remark ' || n || ' of this thread.' FROM generate_series(1, 3) AS n`);
  expect(await (await ask(bridge, 'post-2')).text()).toContain('Zanzibar');
  await blog.query(
    `UPDATE remark SET words = 'Nothing of that kind is said in this remark.', changed = now() WHERE post = 'post-2'`,
  );
  await ask(bridge, 'post-2');
  const shown = await fetch(`${bridge.url}/v1/threads/post-2/summary`);
  expect([shown.status, (await shown.text()).includes('Zanzibar')]).toEqual([200, false]);
}, 60_000);

test('a source that is away is refused with a time to come back, and nothing of its address is told', async () => {
  const bridge = await start({ COMMENTS_DATABASE_URL: 'postgres://blog:hunter2@127.0.0.1:1/blog' });
  const response = await ask(bridge, 'post-1');
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await codeOf(response)).toBe('comment-source-unreachable');
  expect(bridge.logs.join('')).not.toContain('hunter2');
  expect(bridge.logs.join('')).not.toContain(BRIDGE_TOKEN);
}, 60_000);

test('two bridges on one store never work on a job at the same time, and lose none', async () => {
  const env = { DATABASE_URL: postgres.pooledUrl, COMMENTS_DATABASE_URL: postgres.url };
  const [one, two] = [await start(env), await start(env)];
  const ids = Array.from({ length: 40 }, (_, index) => `shared-job-${index}`);
  await Promise.all(
    ids.map(async (id, index) => {
      const body = JSON.stringify({ id, threadId: 'post-1', options: { maxSentences: 1 + (index % 8) } });
      const headers = { prefer: 'respond-async' };
      const response = await (index % 2 ? one : two).call('/v1/summaries', { method: 'POST', body, headers });
      expect(response.status).toBe(202);
    }),
  );
  for (const id of ids) {
    await until(`${id} is done`, async () => {
      const job = (await (await two.call(`/v1/summaries/${id}`)).json()) as { state: string };
      return job.state === 'done';
    });
  }
  const ended = [one, two].map(({ logs }) => logs.filter((line) => line.includes('a summary job ended')).length);
  expect((ended[0] ?? 0) + (ended[1] ?? 0)).toBe(40);
}, 60_000);
