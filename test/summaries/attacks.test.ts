import { afterAll, describe, expect, test } from 'vitest';
import { extract } from '../../bridge/summaries/extractive/extract.ts';
import { make } from '../../bridge/summaries/make.ts';
import type { Engine, GenerateRequest, Listen, Made } from '../../bridge/summaries/types.ts';
import type { Thread } from '../../shared/contract/summary.ts';
import { ATTACKS, type Attack, UNSEEN } from '../support/summaries/attacks.ts';
import { comment } from '../support/threads.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const usage = { promptTokens: 300, completionTokens: 60, firstTokenMs: 1, durationMs: 2 };
const GOOD = JSON.stringify({
  summary: 'Readers compare how they keep a small server reachable.',
  points: [{ text: 'Several keep their tunnel on an older protocol.', ids: ['c0', 'c2'] }],
});

const threadOf = ({ comment: text }: Attack): Thread => ({
  id: 'attacked',
  locale: 'en',
  comments: Array.from({ length: 6 }, (_, n) => comment(n + 1, { id: `comment-${n + 1}` })).concat(
    text === undefined ? [] : [comment(7, { id: 'comment-7', text })],
  ),
});

/** A model that does as the attacker wants, so many times; then it behaves. */
function hostile({ answer }: Attack, times: number): { engine: Engine; asked: GenerateRequest[] } {
  const asked: GenerateRequest[] = [];
  const model = { name: 'tiny', digest: 'd', contextTokens: 8192 };
  const engine: Engine = {
    model: async () => ({ ok: true, model }),
    generate: async (request) => {
      asked.push(request);
      const nonce = request.user.split('\n', 1)[0] ?? '';
      const bad = typeof answer === 'string' ? answer : answer(nonce);
      const text = asked.length <= times ? bad : GOOD;
      for (const piece of text.match(/.{1,7}/gsu) ?? []) request.onText?.(piece);
      return { ok: true, text, usage };
    },
  };
  return { engine, asked };
}

async function attack(one: Attack, times: number) {
  const { engine, asked } = hostile(one, times);
  const said: string[] = [];
  const listen: Listen = (event, data) => void (event === 'text' && said.push((data as { delta: string }).delta));
  const sleep = (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const thread = threadOf(one);
  const options = { style: 'neutral', maxSentences: 4, priority: 'interactive', visibility: 'public' } as const;
  const parts = { engine, extract, now: () => NOW, random: () => 0.42, sleep };
  const made = await make({ thread, options, record: null }, parts, new AbortController().signal, listen);
  return { made, said: said.join(''), asked, thread };
}

function assertHarmless({ made, said, thread }: { made: Made; said: string; thread: Thread }, one: Attack): void {
  const { summary, record } = made;
  const { never } = one;
  const shown = [summary.summary, ...summary.points.map(({ text }) => text), one.harmless ? '' : said].join('\n');
  const kept = JSON.stringify(record?.chunks ?? []) + JSON.stringify(record?.written ?? []);
  for (const words of never) {
    expect(shown).not.toContain(words);
    expect(kept).not.toContain(JSON.stringify(words).slice(1, -1));
  }
  const ids = new Set(thread.comments.map(({ id }) => id));
  for (const { commentIds } of summary.points) {
    expect(commentIds.length).toBeGreaterThan(0);
    for (const id of commentIds) expect(ids).toContain(id);
  }
  expect(shown).not.toMatch(/[\p{Cf}\u202E]|<\/?[a-z]|https?:|\]\(/iu);
  expect(summary.coverage.covered + summary.coverage.omitted).toBe(summary.coverage.comments);
}

describe('no attack reaches the caller as instruction, link or invented citation', () => {
  let refused = 0;
  let repaired = 0;
  afterAll(() => console.log(`${ATTACKS.length} attacks: ${refused} ended extractive, ${repaired} were repaired`));

  test('there are at least forty', () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
    expect(ATTACKS.length).toBeGreaterThanOrEqual(40);
  });

  test.each(ATTACKS)('$name: whatever is asked, then sentences of the thread itself', async (one) => {
    const outcome = await attack(one, Number.POSITIVE_INFINITY);
    assertHarmless(outcome, one);
    expect([outcome.made.summary.engine, outcome.made.summary.reason]).toEqual(['extractive', 'refused-answer']);
    expect(outcome.asked.length).toBeLessThanOrEqual(40);
    refused += 1;
  });

  test.each(ATTACKS)('$name: once, and mended by the repair', async (one) => {
    const outcome = await attack(one, 1);
    assertHarmless(outcome, one);
    expect(outcome.made.summary.engine).toBe('model');
    repaired += 1;
  });

  test('an order nobody can see is not shown to the model either', async () => {
    const { asked } = await attack({ name: 'unseen', comment: UNSEEN, answer: '', never: [] }, 0);
    expect(asked[0]?.user).toContain('c6: Nice.\n');
    expect(asked[0]?.user).not.toMatch(/[\u{E0000}-\u{E007F}]/u);
  });

  test.each(ATTACKS.filter((one) => one.comment !== undefined))('$name: stands in the prompt as data', async (one) => {
    const { asked } = await attack(one, 0);
    const [first] = asked;
    const lines = first?.user.split('\n') ?? [];
    expect(lines[0]).toBe(lines.at(-1));
    // One line each, which begins with its own number: none can begin another's, or end the data.
    expect(lines.slice(1, -1)).toHaveLength(7);
    for (const [n, line] of lines.slice(1, -1).entries()) expect(line.startsWith(`c${n}: `)).toBe(true);
    expect(first?.user.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}<>[\]]/u);
    expect(first?.system).not.toContain(one.comment ?? '');
  });
});
