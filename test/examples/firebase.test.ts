import { afterEach, describe, expect, test } from 'vitest';
import { SummaryRequest } from '../../shared/contract/summary.ts';
import { summaryOf } from '../support/bridge-stand-in.ts';
import { FirestoreError } from '../support/firestore.ts';
import { ACCOUNT, AUDIENCE, comment, startWorld, type World } from './support.ts';

const worlds: World[] = [];
async function world(options: Parameters<typeof startWorld>[0] = {}): Promise<World> {
  const started = await startWorld(options);
  worlds.push(started);
  return started;
}
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
const calls = ({ bridge }: World) => bridge.seen.map(({ method, path }) => `${method} ${path}`);
const requests = ({ bridge }: World) => bridge.seen.map(({ body }) => SummaryRequest.parse(body));
const SUMMARISE = 'POST /v1/summaries';
const REMOVE = (id: string) => `DELETE /v1/threads/post-1/comments/${id}`;
const outage = () => ({ status: 503, body: { error: { code: 'overloaded', message: 'later' } } });

test('deployed as a retried trigger on comments, which cannot wake itself', async () => {
  const { trigger, database, change } = await world();
  expect(trigger.__endpoint).toMatchObject({
    platform: 'gcfv2',
    region: ['europe-west1'],
    timeoutSeconds: 120,
    eventTrigger: {
      eventType: 'google.cloud.firestore.document.v1.written',
      eventFilterPathPatterns: { document: 'threads/{threadId}/comments/{commentId}' },
      retry: true,
    },
  });
  await change('c1', comment('The lane is too narrow.'))();
  const pattern = /^threads\/[^/]+\/comments\/[^/]+$/;
  expect(database.written.filter((path) => !pattern.test(path))).toEqual(['threads/post-1/summary/current']);
});

test('a comment is summarised with an ID token of the function’s own account', async () => {
  const one = await world();
  await one.change('c1', comment('The lane is too narrow.'))();
  const [seen] = one.bridge.seen;
  expect(seen).toMatchObject({ method: 'POST', path: '/v1/summaries', caller: ACCOUNT });
  expect(seen?.authorization).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  const claims = JSON.parse(Buffer.from(seen?.authorization?.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({ aud: AUDIENCE, email: ACCOUNT, email_verified: true });
  expect(one.metadata.audiences).toEqual([AUDIENCE]);
  expect(seen?.body).toEqual({
    id: expect.stringMatching(/^firestore:event-1-of-c1:[0-9a-f]{16}$/),
    thread: {
      id: 'post-1',
      comments: [
        {
          id: 'c1',
          parentId: null,
          author: 'ann',
          createdAt: '2026-11-21T11:59:00.000Z',
          editedAt: null,
          votes: 1,
          text: 'The lane is too narrow.',
        },
      ],
    },
    options: { priority: 'background', deadlineMs: 40_000 },
  });
  expect(one.current()).toMatchObject({
    state: 'ready',
    eventId: 'event-1-of-c1',
    summary: { summary: '1 said something.', engine: 'extractive', stale: false, points: [{ commentIds: ['c1'] }] },
  });
});

test('the token is kept until shortly before it ends', async () => {
  const one = await world();
  await one.change('c1', comment('One.'))();
  one.later(30 * 60_000);
  await one.change('c2', comment('Two.'))();
  expect(one.metadata.audiences).toHaveLength(1);
  one.later(26 * 60_000);
  await one.change('c3', comment('Three.'))();
  expect(one.metadata.audiences).toHaveLength(2);
  expect(new Set(one.bridge.seen.map(({ caller }) => caller))).toEqual(new Set([ACCOUNT]));
});

describe('at least once, in any order', () => {
  test('delivered again, it is covered: nothing is asked twice', async () => {
    const one = await world();
    const deliver = one.change('c1', comment('One.'));
    one.later(2000);
    await deliver();
    const before = one.database.commits;
    await deliver();
    await deliver();
    expect(calls(one)).toEqual([SUMMARISE]);
    expect(one.database.commits).toBe(before);
  });

  test('delivered again before the first is done, it is one job', async () => {
    const one = await world();
    const deliver = one.change('c1', comment('One.'));
    await Promise.all([deliver(), deliver()]);
    const ids = requests(one).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(one.current()).toMatchObject({ state: 'ready', summary: { summary: '1 said something.' } });
  });

  test('an old event after a newer one is covered by it', async () => {
    const one = await world();
    const first = one.change('c1', comment('One.'));
    const second = one.change('c2', comment('Two.'));
    one.later(2000);
    await second();
    await first();
    expect(calls(one)).toEqual([SUMMARISE]);
    expect(one.current()).toMatchObject({ summary: { summary: '2 said something.' } });
  });

  test('a slow summary of fewer comments never replaces one of more', async () => {
    const one = await world();
    const first = one.change('c1', comment('One.'));
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    one.bridge.next.push(() => held.then(() => null));
    const slow = first();
    await expect.poll(() => one.bridge.seen.length).toBe(1);
    await one.change('c2', comment('Two.'))();
    answer();
    await slow;
    expect(calls(one)).toEqual([SUMMARISE, SUMMARISE]);
    expect(one.current()).toMatchObject({ eventId: 'event-2-of-c2', summary: { summary: '2 said something.' } });
    expect(one.log).toContain('info comment handled: superseded');
  });

  test('a transaction that loses a race runs again; one that always loses is delivered again', async () => {
    const one = await world();
    const path = 'threads/post-1/summary/current';
    const withdrawnEarlier = { state: 'withdrawn', asOfMicros: 1, eventId: 'another' };
    let races = 2;
    one.database.beforeCommit = () => {
      if (races-- > 0) one.database.write(path, withdrawnEarlier);
    };
    await one.change('c1', comment('One.'))();
    expect(one.current()).toMatchObject({ state: 'ready' });
    expect(one.database.attempts).toBeGreaterThan(3);
    races = Number.POSITIVE_INFINITY;
    await expect(one.change('c2', comment('Two.'))()).rejects.toThrow('ABORTED');
  });
});

describe('what may pass is thrown, what will not is not', () => {
  test('a bridge that is away: thrown, and well at the next delivery', async () => {
    const one = await world();
    const deliver = one.change('c1', comment('One.'));
    one.bridge.next.push(outage);
    await expect(deliver()).rejects.toMatchObject({ failure: 'unavailable', status: 503 });
    expect(one.current()).toBeUndefined();
    await deliver();
    const ids = requests(one).map(({ id }) => id);
    expect(new Set(ids).size).toBe(1);
    expect(one.current()).toMatchObject({ state: 'ready' });
  });

  test('within one delivery the client tries again by itself', async () => {
    const one = await world({ attempts: 2 });
    one.bridge.next.push(outage);
    await one.change('c1', comment('One.'))();
    expect(calls(one)).toEqual([SUMMARISE, SUMMARISE]);
  });

  test('a retry after the thread has grown is another job', async () => {
    const one = await world();
    const deliver = one.change('c1', comment('One.'));
    // The job was done and only its answer lost.
    one.bridge.next.push(async () => null, outage);
    await deliver();
    one.database.write('threads/post-1/summary/current', null);
    one.database.write('threads/post-1/comments/c2', comment('Two.'));
    await expect(deliver()).rejects.toThrow();
    await deliver();
    expect(one.current()).toMatchObject({ summary: { summary: '2 said something.' } });
  });

  test.each([
    ['another account', { account: 'stranger@evil.iam.gserviceaccount.com' }, 'not-on-allow-list'],
    ['another audience', { audience: 'https://other.example' }, 'wrong-audience'],
  ])('%s is refused: logged, swallowed, not retried', async (_, options, reason) => {
    const one = await world(options);
    await one.change('c1', comment('One.'))();
    expect(one.bridge.seen.map(({ caller }) => caller)).toEqual([`refused: ${reason}`]);
    expect(one.current()).toBeUndefined();
    expect(one.log).toEqual(['error gave up on a comment: trying again would not help']);
  });

  test('a poison event ends by its age: minutes for a comment, a day for its removal', async () => {
    const one = await world();
    const added = one.change('c1', comment('One.'));
    const removed = one.change('c1', null);
    one.later(10 * 60_000);
    one.bridge.next.push(outage, outage);
    await expect(removed()).rejects.toThrow();
    one.later(6 * 60_000);
    await added();
    expect(calls(one)).toEqual([REMOVE('c1')]);
    await expect(removed()).rejects.toThrow();
    one.later(24 * 3_600_000);
    await removed();
    expect(calls(one)).toEqual([REMOVE('c1'), REMOVE('c1')]);
    expect(one.log.filter((line) => line.startsWith('error'))).toEqual(
      Array(2).fill('error gave up on a comment: its event is too old'),
    );
  });

  test('a database that is busy is worth another delivery, one that refuses is not', async () => {
    const one = await world();
    for (const [code, passes] of [
      [14, true],
      [7, false],
    ] as const) {
      one.database.beforeQuery = () => Promise.reject(new FirestoreError(code, 'no'));
      const delivered = one.change(`c${code}`, comment('One.'))();
      await (passes ? expect(delivered).rejects.toThrow('14') : expect(delivered).resolves.toBeUndefined());
    }
    expect(calls(one)).toEqual([]);
  });

  test.each([
    ['a timeout of the database', 'TimeoutError'],
    ['one that was broken off', 'AbortError'],
  ])('%s is worth another delivery: its code is none of gRPC', async (_, name) => {
    const one = await world();
    one.database.beforeQuery = () => Promise.reject(new DOMException('too slow', name));
    await expect(one.change('c1', comment('One.'))()).rejects.toThrow('too slow');
  });

  test('a metadata server that stays silent does not lose a removal', async () => {
    const one = await world();
    one.change('c1', comment('One.'));
    const removed = one.change('c1', null);
    one.metadata.silent = true;
    await expect(removed()).rejects.toMatchObject({ failure: 'unavailable' });
    one.metadata.silent = false;
    await removed();
    expect(calls(one)).toEqual([REMOVE('c1')]);
  }, 20_000);

  test('a comment that breaks the contract does not block its thread', async () => {
    const one = await world();
    one.database.write('threads/post-1/comments/bad', { createdAt: 'never', text: 7 });
    one.database.write('threads/post-1/comments/bad id', comment('A space in the id.'));
    await one.change('c1', comment('x'.repeat(30_000)))();
    const [request] = requests(one);
    expect(request?.thread?.comments.map(({ text }) => text.length)).toEqual([20_000]);
    expect(one.log[0]).toBe('warn comments left out: they do not fit the contract');
  });

  test.each([
    ['a comment that is not there', { points: [{ text: 'Invented.', commentIds: ['c9'] }] }],
    ['no contract', { points: 'none' }],
  ])('an answer with %s is not written', async (_, wrong) => {
    const one = await world();
    one.bridge.next.push(({ body }) => ({ status: 200, body: { ...summaryOf(SummaryRequest.parse(body)), ...wrong } }));
    await one.change('c1', comment('One.'))();
    expect(one.current()).toBeUndefined();
    expect(one.log[0]).toMatch(/^error summary not written/);
  });
});

describe('moderation is immediate', () => {
  async function summarised(): Promise<World> {
    const one = await world();
    one.change('c1', comment('One.'));
    await one.change('c2', comment('Something libellous.'))();
    expect(one.current()).toMatchObject({ state: 'ready' });
    one.later(5000);
    return one;
  }

  test.each<[string, ReturnType<typeof comment> | null, string[]]>([
    ['deleted', null, [REMOVE('c2'), SUMMARISE]],
    ['edited', comment('Something harmless.'), [SUMMARISE]],
    ['hidden', comment('Something libellous.', { hidden: true }), [REMOVE('c2'), SUMMARISE]],
  ])('%s: withdrawn here, removed at the bridge, then made anew', async (_, after, expected) => {
    const one = await summarised();
    const states: unknown[] = [];
    one.bridge.next.push(
      () => {
        states.push(one.current()?.state, one.current()?.summary);
        return null;
      },
      () => null,
    );
    await one.change('c2', after)();
    expect(calls(one)).toEqual([SUMMARISE, ...expected]);
    expect(states).toEqual(['withdrawn', undefined]);
    expect(one.current()).toMatchObject({ state: 'ready' });
    expect(JSON.stringify(one.current())).not.toContain('libellous');
  });

  test('with the bridge away readers still lose it at once, and the bridge hears of it later', async () => {
    const one = await summarised();
    one.bridge.next.push(outage);
    const removed = one.change('c2', null);
    await expect(removed()).rejects.toThrow();
    expect(one.current()).toMatchObject({ state: 'withdrawn' });
    await removed();
    expect(calls(one)).toEqual([SUMMARISE, REMOVE('c2'), REMOVE('c2'), SUMMARISE]);
  });

  test('a summary that was being made of the deleted comment is not written after', async () => {
    const one = await world();
    const added = one.change('c1', comment('Something libellous.'));
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    one.bridge.next.push(() => held.then(() => null));
    const slow = added();
    await expect.poll(() => one.bridge.seen.length).toBe(1);
    one.later(100);
    await one.change('c1', null)();
    answer();
    await slow;
    expect(one.current()).toMatchObject({ state: 'withdrawn' });
    expect(JSON.stringify(one.current())).not.toContain('libellous');
  });

  test('the last comment leaves nothing; a late removal does not undo what came after', async () => {
    const one = await summarised();
    one.database.write('threads/post-1/comments/c1', null);
    const removed = one.change('c2', null);
    await removed();
    expect(calls(one)).toEqual([SUMMARISE, REMOVE('c2')]);
    expect(one.current()).toMatchObject({ state: 'withdrawn' });
    one.later(5000);
    await one.change('c3', comment('Three.'))();
    one.later(5000);
    await removed();
    expect(one.current()).toMatchObject({ state: 'ready', summary: { summary: '1 said something.' } });
    expect(calls(one)).toEqual([SUMMARISE, REMOVE('c2'), SUMMARISE]);
  });

  test('a comment edited into what no contract takes, the only one, is removed at the bridge', async () => {
    const one = await world();
    await one.change('c1', comment('Something libellous.'))();
    one.later(5000);
    await one.change('c1', comment('Something else.', { createdAt: 'never' }))();
    expect(calls(one)).toEqual([SUMMARISE, REMOVE('c1')]);
    expect(one.current()).toMatchObject({ state: 'withdrawn' });
  });

  test('votes alone change nothing', async () => {
    const one = await summarised();
    await one.change('c1', comment('One.', { votes: 99 }))();
    expect(calls(one)).toEqual([SUMMARISE]);
  });
});
