import { describe, expect, test } from 'vitest';
import { BridgeError, bearer, type ClientRequest, createBridgeClient } from '../../shared/client.ts';
import { DEADLINE_MS } from '../../shared/contract/summary.ts';

interface Answer {
  status: number;
  body?: unknown;
  retryAfter?: string;
}

function clientWith(answers: (Answer | Error)[]) {
  const sent: { url: string; init: ClientRequest }[] = [];
  const slept: number[] = [];
  const timeouts: number[] = [];
  const client = createBridgeClient({
    baseUrl: 'https://api.example/',
    credentials: bearer(async () => `token-${sent.length + 1}`),
    runtime: {
      random: () => 0.5,
      newId: () => 'made-up-id',
      sleep: async (ms) => void slept.push(ms),
      timeout: (ms) => void timeouts.push(ms),
      fetch: async (url, init) => {
        sent.push({ url, init });
        const answer = answers.shift() ?? new Error('nothing left');
        if (answer instanceof Error) throw answer;
        const headers = { get: (name: string) => (name === 'retry-after' ? (answer.retryAfter ?? null) : null) };
        const { body } = answer;
        return {
          status: answer.status,
          headers,
          text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
        };
      },
    },
  });
  return { client, sent, slept, timeouts };
}
const accepted = {
  id: 'made-up-id',
  acceptedAt: '2026-11-21T12:00:00.000Z',
  replayed: false,
  status: '/v1/purges/made-up-id',
};
const failed = async (work: Promise<unknown>): Promise<BridgeError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BridgeError)) throw new Error(`not a BridgeError: ${error}`);
  return error;
};

test('a purge that is not answered is sent again under the same id, with a fresh credential', async () => {
  const { client, sent, slept } = clientWith([new Error('reset'), { status: 503 }, { status: 202, body: accepted }]);
  expect(await client.purge({ tags: ['a'] })).toEqual(accepted);
  expect(sent.map(({ url }) => url)).toEqual(Array(3).fill('https://api.example/v1/purge'));
  expect(new Set(sent.map(({ init }) => init.body))).toEqual(new Set(['{"tags":["a"],"id":"made-up-id"}']));
  expect(sent.map(({ init }) => init.headers.authorization)).toEqual([
    'Bearer token-1',
    'Bearer token-2',
    'Bearer token-3',
  ]);
  expect(slept).toEqual([300, 600]);
});

test('Retry-After is honoured', async () => {
  const { client, slept } = clientWith([
    { status: 429, retryAfter: '2' },
    { status: 503, retryAfter: '5' },
    { status: 200, body: { now: 1 } },
  ]);
  await client.status();
  expect(slept).toEqual([2000, 5000]);
});

test('where it is longer than the client waits, its caller is told how long, and nothing is sent too early', async () => {
  const { client, sent, slept } = clientWith([{ status: 503, retryAfter: '90' }]);
  expect(await failed(client.status())).toMatchObject({ failure: 'unavailable', status: 503, retryAfterMs: 90_000 });
  expect([sent.length, slept]).toEqual([1, []]);
});

describe('summaries', () => {
  const thread = { id: 'post-1', comments: [{ id: 'c1', createdAt: '2026-11-21T12:00:00Z', text: 'Hello.' }] };

  test('one job, whatever the attempts, and longer to answer than its deadline', async () => {
    const { client, sent, timeouts } = clientWith([{ status: 503 }, { status: 200, body: { summary: 'Hello.' } }]);
    expect(await client.summarize({ thread, options: { deadlineMs: 8000 } })).toEqual({ summary: 'Hello.' });
    expect(sent.map(({ init, url }) => `${init.method} ${url}`)).toEqual(
      Array(2).fill('POST https://api.example/v1/summaries'),
    );
    expect(sent.map(({ init }) => JSON.parse(init.body ?? '').id)).toEqual(['made-up-id', 'made-up-id']);
    expect(timeouts).toEqual([13_000, 13_000]);
  });

  test.each([
    [undefined, DEADLINE_MS.interactive],
    ['interactive', DEADLINE_MS.interactive],
    ['background', DEADLINE_MS.background],
  ] as const)("without a deadline it waits for the contract's: %s", async (priority, deadlineMs) => {
    const { client, timeouts } = clientWith([{ status: 200, body: {} }]);
    await client.summarize({ thread, ...(priority === undefined ? {} : { options: { priority } }) });
    expect(timeouts).toEqual([deadlineMs + 5000]);
  });

  test('later: the answer is a job', async () => {
    const { client, sent, timeouts } = clientWith([
      { status: 202, body: accepted },
      { status: 200, body: { id: 'j' } },
    ]);
    expect(await client.summarizeLater({ id: 'my-job-1', thread })).toEqual(accepted);
    await client.job('my/job');
    expect(sent[0]?.init.headers.prefer).toBe('respond-async');
    expect(JSON.parse(sent[0]?.init.body ?? '').id).toBe('my-job-1');
    expect(sent[1]?.url).toBe('https://api.example/v1/summaries/my%2Fjob');
    expect(timeouts).toEqual([5000, 5000]);
  });

  test('of a thread: read and removed', async () => {
    const { client, sent } = clientWith([
      { status: 200, body: { summary: 'x' } },
      { status: 204, body: '' },
      { status: 502 },
      { status: 404, body: { error: { code: 'unknown-thread', message: 'no' } } },
    ]);
    expect(await client.threadSummary('post/1')).toEqual({ summary: 'x' });
    expect(await client.deleteThreadSummary('post/1')).toBeUndefined();
    expect(await client.deleteThreadSummary('post/1')).toBeUndefined();
    expect(sent.map(({ init }) => init.method)).toEqual(['GET', 'DELETE', 'DELETE', 'DELETE']);
    expect(new Set(sent.map(({ url }) => url))).toEqual(new Set(['https://api.example/v1/threads/post%2F1/summary']));
  });

  test('a comment of a thread is removed, also where its first answer was lost', async () => {
    const { client, sent } = clientWith([
      { status: 502 },
      { status: 404, body: { error: { code: 'x', message: 'no' } } },
    ]);
    expect(await client.deleteComment('post/1', 'c/1')).toBeUndefined();
    expect(sent.map(({ init, url }) => `${init.method} ${url}`)).toEqual(
      Array(2).fill('DELETE https://api.example/v1/threads/post%2F1/comments/c%2F1'),
    );
  });

  test('a summary that may not be removed is an error', async () => {
    const { client } = clientWith([{ status: 403, body: { error: { code: 'not-on-allow-list', message: 'no' } } }]);
    expect(await failed(client.deleteThreadSummary('a'))).toMatchObject({ failure: 'unauthorized' });
  });
});

describe('errors are typed', () => {
  test.each<[string, Answer, string, string]>([
    [
      'a bad request',
      { status: 400, body: { error: { code: 'invalid', message: 'no', field: 'tags.1' } } },
      'invalid',
      'invalid',
    ],
    [
      'no access',
      { status: 403, body: { error: { code: 'not-on-allow-list', message: 'no' } } },
      'unauthorized',
      'not-on-allow-list',
    ],
    [
      'unknown',
      { status: 404, body: { error: { code: 'unknown-purge', message: 'no' } } },
      'not-found',
      'unknown-purge',
    ],
    ['conflict', { status: 409, body: { error: { code: 'id-in-use', message: 'no' } } }, 'conflict', 'id-in-use'],
    ['an error without our shape', { status: 413, body: '<html>' }, 'invalid', 'invalid'],
  ])('%s, at once', async (_name, answer, failure, code) => {
    const { client, sent } = clientWith([answer]);
    expect(await failed(client.purgeStatus('a/b'))).toMatchObject({ failure, code, status: answer.status });
    expect(sent.map(({ url }) => url)).toEqual(['https://api.example/v1/purges/a%2Fb']);
  });

  test('a bridge that stays away, after four attempts', async () => {
    const { client, sent } = clientWith([
      new Error('a'),
      new Error('b'),
      new Error('c'),
      new Error('d'),
      new Error('e'),
    ]);
    expect(await failed(client.status())).toMatchObject({ failure: 'unavailable', status: 0 });
    expect(sent).toHaveLength(4);
  });

  test('a login page with status 200 is not a success', async () => {
    const page = { status: 200, body: '<html>Sign in</html>' };
    expect(await failed(clientWith([page, page, page, page]).client.status())).toMatchObject({
      failure: 'unavailable',
      status: 200,
    });
  });
});

test('credentials that cannot be had may be had the next time', async () => {
  let asked = 0;
  const client = createBridgeClient({
    baseUrl: 'http://x',
    attempts: 3,
    credentials: () => {
      asked++;
      return Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    },
    runtime: { sleep: async () => {}, fetch: () => Promise.reject(new Error('without credentials')) },
  });
  const error = await failed(client.status());
  expect(error).toMatchObject({ failure: 'unavailable', status: 0, code: 'unavailable' });
  expect(error.message).toMatch(/^no credentials for the bridge: .*aborted due to timeout/);
  expect(asked).toBe(3);
});

test('without a runtime handed in it uses the platform', async () => {
  const client = createBridgeClient({ baseUrl: 'http://127.0.0.1:1', credentials: bearer('x'), attempts: 1 });
  expect(await failed(client.status())).toMatchObject({ failure: 'unavailable' });
});
