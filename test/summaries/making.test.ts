import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extract } from '../../bridge/summaries/extractive/extract.ts';
import { make } from '../../bridge/summaries/make.ts';
import { summaryKey } from '../../bridge/summaries/policy/canonical.ts';
import { cites, redact } from '../../bridge/summaries/policy/record.ts';
import type { Engine, FailureName, GenerateRequest, Made, ThreadRecord } from '../../bridge/summaries/types.ts';
import type { Comment, Thread } from '../../shared/contract/summary.ts';
import { answerOf } from '../support/summary-answers.ts';
import { comment } from '../support/threads.ts';

const OPTIONS = { style: 'neutral', maxSentences: 4, priority: 'interactive', visibility: 'public' } as const;
const CONTEXT = 8192;

/** A model with its own idea of a token: characters of each script cost what they cost, whatever the planner guesses. */
class Model implements Engine {
  now = Date.parse('2026-11-21T12:00:00Z');
  readonly asked: GenerateRequest[] = [];
  largest = 0;
  prompts = 0;
  /** Milliseconds a generation takes. */
  paceMs = 0;
  fail: FailureName | null = null;
  readonly #perChar: number;

  constructor(perChar = 0.25) {
    this.#perChar = perChar;
  }

  tokens = (text: string): number => {
    const wide = (text.match(/[^\x20-\x7e]/gu) ?? []).length;
    return Math.ceil((text.length - wide) * this.#perChar + wide * 1.1);
  };

  async model() {
    return { ok: true, model: { name: 'tiny', digest: 'd1', contextTokens: CONTEXT } } as const;
  }

  async generate(request: GenerateRequest) {
    this.asked.push(request);
    this.now += this.paceMs;
    const promptTokens = this.tokens(request.system) + this.tokens(request.user) + 12;
    const usage = { promptTokens, completionTokens: 80, firstTokenMs: 1, durationMs: this.paceMs };
    if (this.fail) return { ok: false, failure: this.fail, message: 'as told', usage: null } as const;
    if (promptTokens + request.numPredict > CONTEXT) {
      const context = { promptTokens, contextTokens: CONTEXT };
      return { ok: false, failure: 'context-exceeded', message: 'too long', usage: null, ...context } as const;
    }
    this.largest = Math.max(this.largest, promptTokens + request.numPredict);
    this.prompts += promptTokens;
    const text = answerOf({ messages: [{ role: 'user', content: request.user }], format: request.schema });
    return { ok: true, text, usage } as const;
  }

  make(thread: Thread, record: ThreadRecord | null = null, deadlineAt = this.now + 3_600_000): Promise<Made> {
    // A wait between attempts passes at once; the deadline is a matter of `now`.
    const sleep = async (ms: number, signal: AbortSignal) => {
      if (ms > 6000)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      else this.now += ms;
    };
    const parts = {
      engine: this,
      extract,
      now: () => this.now,
      random: () => 0.42,
      sleep,
      deadlineAt: () => deadlineAt,
    };
    return make({ thread, options: OPTIONS, record }, parts, new AbortController().signal, () => {});
  }
}

const LONG = ' What I mean by that is rather simple, and it follows from how the cache is asked by its readers.'.repeat(
  2,
);
const threadOf = (comments: readonly Comment[]): Thread => ({ id: 't', locale: 'en', comments: [...comments] });
const long = (number: number): Comment => {
  const own = comment(number);
  return { ...own, text: `${own.text}${LONG}`.slice(0, 240) };
};
const longs = (count: number) => Array.from({ length: count }, (_, index) => long(index + 1));
const trace = (made: Made | ThreadRecord | null) => JSON.stringify(made);

describe('what a summary costs', () => {
  test('a thread that grows by tens to 500 pays at most twice its own tokens, and covers all at every step', async () => {
    const model = new Model();
    let record: ThreadRecord | null = null;
    for (let count = 10; count <= 500; count += 10) {
      const made = await model.make(threadOf(longs(count)), record);
      expect([made.summary.engine, made.summary.coverage]).toEqual([
        'model',
        { comments: count, covered: count, omitted: 0 },
      ]);
      record = made.record;
    }
    const own = longs(500).reduce((sum, { text }) => sum + model.tokens(text), 0);
    console.log(`10 to 500 comments: ${(model.prompts / own).toFixed(2)}x the tokens of the comments`);
    expect(model.prompts / own).toBeLessThanOrEqual(2);
  });

  test('5,000 comments in a context of 8k: all of them, and no prompt over it', async () => {
    const model = new Model();
    const { summary } = await model.make(threadOf(longs(5000)));
    expect(summary.coverage).toEqual({ comments: 5000, covered: 5000, omitted: 0 });
    expect(summary.reason).toBeUndefined();
    expect(model.largest).toBeLessThanOrEqual(CONTEXT);
  });

  test('nothing, where nothing has changed; votes and authors are no change', async () => {
    const model = new Model();
    const { record } = await model.make(threadOf(longs(30)));
    const before = model.asked.length;
    const voted = longs(30).map((one) => ({ ...one, votes: 99, author: 'renamed' }));
    const again = await model.make(threadOf(voted), record);
    expect(model.asked).toHaveLength(before);
    expect([again.summary.cached, again.summary.tokens]).toEqual([true, { prompt: 0, completion: 0 }]);
  });

  test('an edit has only what was read with it read again, and leaves no trace', async () => {
    const model = new Model();
    const first = await model.make(threadOf(longs(300)));
    const whole = model.prompts;
    const edited = longs(300).map((one) =>
      one.id === 'c7' ? { ...one, text: 'I take it back.', editedAt: '2026-11-21T11:00:00Z' } : one,
    );
    const second = await model.make(threadOf(edited), first.record);
    expect(model.prompts - whole).toBeLessThan(whole / 2);
    expect(second.summary.coverage.omitted).toBe(0);
    expect(trace(second)).not.toContain('Remark 7 in');
  });
});

describe('whatever the tokenizer does', () => {
  test.each([
    ['many tokens a word', 0.6, (n: number) => long(n).text],
    ['few tokens a word', 0.12, (n: number) => long(n).text],
    [
      'Cyrillic',
      0.25,
      (n: number) => `Замечание ${n}: кэш хранит страницы, пока дом недоступен, и это удобно читателям.`.repeat(3),
    ],
    [
      'Chinese',
      0.25,
      (n: number) => `第${n}条评论：${'缓存在家里断电的时候仍然可以提供页面而读者不会注意到任何事情'.repeat(2)}。`,
    ],
    [
      'base64',
      0.8,
      (n: number) =>
        `Remark ${n} has a key: ${Array.from({ length: 20 }, (_, at) => btoa(String(n * 7919 + at * 104_729))).join('')}`,
    ],
  ])('%s: complete, no prompt that was answered over the context', async (_name, perChar, textOf) => {
    const model = new Model(perChar);
    const comments = Array.from({ length: 250 }, (_, n) => comment(n + 1, { text: textOf(n + 1) }));
    const { summary } = await model.make({ ...threadOf(comments), locale: undefined as never });
    expect([summary.engine, summary.coverage.omitted]).toEqual(['model', 0]);
    expect(model.largest).toBeLessThanOrEqual(CONTEXT);
  });

  test('a comment longer than the context is read in parts', async () => {
    const model = new Model();
    const giant = comment(3, { text: Array.from({ length: 2500 }, (_, n) => `word${n % 700}`).join(' ') });
    const { summary } = await model.make(threadOf([long(1), long(2), giant]));
    expect([summary.engine, summary.coverage]).toEqual(['model', { comments: 3, covered: 3, omitted: 0 }]);
  });
});

test('coverage adds up and citations exist, for any thread', async () => {
  const any = fc.array(
    fc.record({
      text: fc.string({ unit: 'grapheme', maxLength: 400 }),
      parent: fc.option(fc.nat(40), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(any, async (list) => {
      const comments = list.map(({ text, parent }, n) =>
        comment(n + 1, { id: `x${n}`, text, ...(parent === undefined ? {} : { parentId: `x${parent}` }) }),
      );
      const { summary } = await new Model().make(threadOf(comments));
      const { comments: all, covered, omitted } = summary.coverage;
      expect([all, covered + omitted]).toEqual([comments.length, comments.length]);
      const ids = new Set(comments.map(({ id }) => id));
      for (const id of summary.points.flatMap(({ commentIds }) => commentIds)) expect(ids).toContain(id);
    }),
    { numRuns: 60 },
  );
});

describe('when it goes wrong', () => {
  const failures: readonly FailureName[] = [
    ...([
      'model-missing',
      'bad-request',
      'busy',
      'crashed',
      'incomplete',
      'length',
      'repetition',
      'unreachable',
    ] as const),
    ...([
      'not-ollama',
      'first-token-timeout',
      'stalled',
      'aborted',
      'breaker-open',
      'on-cpu',
      'context-exceeded',
    ] as const),
  ];
  test.each(failures)(
    '%s: sentences of the thread, the reason, and few attempts',
    async (failure) => {
      const model = new Model();
      model.fail = failure;
      const { summary } = await model.make(threadOf(longs(20)), null, model.now + 20_000);
      expect(summary.engine).toBe('extractive');
      expect(summary.reason).toMatch(/^[a-z-]+$/);
      expect(model.asked.length).toBeLessThanOrEqual(16);
    },
    30_000,
  );

  test('time that runs out while reading: what was read counts, is said, and is not paid again', async () => {
    const model = new Model();
    model.paceMs = 10_000;
    const partial = await model.make(threadOf(longs(2000)), null, model.now + 100_000);
    const { covered, omitted } = partial.summary.coverage;
    expect([partial.summary.engine, partial.summary.reason]).toEqual(['model', 'partial']);
    expect(covered).toBeGreaterThan(100);
    expect(omitted).toBe(2000 - covered);
    const before = model.asked.length;
    const rest = await model.make(threadOf(longs(2000)), partial.record);
    expect(rest.summary.coverage.omitted).toBe(0);
    const read = model.asked
      .slice(before)
      .map(({ user }) => user)
      .join('\n');
    expect(read).not.toContain('c0: Remark 1 in this thread');
  });

  test('an engine that never says which model it has, or throws: an answer by the deadline all the same', async () => {
    const mute = new Model();
    mute.model = () => new Promise(() => {});
    const late = mute.make(threadOf(longs(5)), null, mute.now + 2000);
    expect((await late).summary).toMatchObject({ engine: 'extractive', reason: 'deadline' });
    const broken = new Model();
    broken.model = () => Promise.reject(new Error('no'));
    expect((await broken.make(threadOf(longs(5)))).summary).toMatchObject({
      engine: 'extractive',
      reason: 'not-ollama',
    });
  });

  test('a record of nobody knows what is read anew', async () => {
    const { summary } = await new Model().make(threadOf(longs(12)), { version: 99, chunks: 'none' } as never);
    expect([summary.engine, summary.coverage.omitted]).toEqual(['model', 0]);
  });
});

describe('moderation', () => {
  test('what was made with a comment goes with it, the rest stays', async () => {
    const model = new Model();
    const { record } = await model.make(threadOf(longs(300)));
    expect(record && cites(record)).toContain('c7');
    const left = record && redact(record, ['c7']);
    expect(trace(left)).not.toContain('Remark 7 in');
    expect(trace(left)).not.toContain('"c7"');
    expect(left && cites(left)).toEqual([]);
    const before = model.prompts;
    const without = longs(300).filter(({ id }) => id !== 'c7');
    const made = await model.make(threadOf(without), left);
    expect(made.summary.coverage.omitted).toBe(0);
    expect(model.prompts - before).toBeLessThan(before);
  });
});

test('the key of a summary: framed parts, and nothing that no prompt holds', () => {
  const of = (thread: Thread, digest = 'd1', options = {}) =>
    summaryKey(thread, { ...OPTIONS, ...options }, { digest });
  const two = (a: Partial<Comment>, b: Partial<Comment>) => threadOf([comment(1, a), comment(2, b)]);
  expect(of(two({ id: '1', text: 'x' }, { id: '23', text: 'x' }))).not.toBe(
    of(two({ id: '12', text: 'x' }, { id: '3', text: 'x' })),
  );
  const thread = threadOf(longs(3));
  expect(of(thread)).not.toBe(of(thread, 'd2'));
  expect(of(thread)).not.toBe(of(thread, 'd1', { language: 'de' }));
  expect(of(thread)).not.toBe(of(threadOf(longs(3).map((one) => ({ ...one, editedAt: '2026-11-21T11:00:00Z' })))));
  expect(of(thread)).toBe(
    of(
      threadOf(
        longs(3)
          .map((one) => ({ ...one, votes: 5, author: 'b' }))
          .reverse(),
      ),
    ),
  );
  expect(of(thread)).toBe(of(thread, 'd1', { priority: 'background', deadlineMs: 500, visibility: 'private' }));
});
