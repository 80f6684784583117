import { expect, test } from 'vitest';
import { SummaryOptions, type Thread } from '../../shared/contract/summary.ts';
import { Foresight, openingOf } from './opening.ts';
import { summaryKey } from './policy/canonical.ts';
import { PRIOR } from './policy/estimator.ts';

const model = { name: 'm', digest: 'sha256:1', contextTokens: 8192 };
const options = SummaryOptions.parse({});
const threadOf = (comments: number): Thread => ({
  id: 't',
  comments: Array.from({ length: comments }, (_, index) => ({
    id: `c${index}`,
    createdAt: `2026-11-20T12:00:${String(index % 60).padStart(2, '0')}Z`,
    text: `Remark ${index}: the tunnel was up for nine days.`,
  })),
});

/** With a source of chance that counts how often it is asked: once for each prompt. */
function stage() {
  const drawn = { count: 0 };
  const random = () => {
    drawn.count += 1;
    return 0.25;
  };
  return { foresight: new Foresight(), about: { model, rates: PRIOR, random }, drawn };
}

test.each([1, 10, 60])('of %i comments just what would be worked out later, and once', (comments) => {
  const { foresight, about, drawn } = stage();
  const thread = threadOf(comments);
  foresight.foresee(thread, options, about, true);
  const opening = foresight.open({ thread, options, record: null }, about);
  expect(drawn.count).toBe(1);
  expect(opening).toEqual(openingOf({ thread, options, record: null }, about));
  expect(opening.prompt).not.toBeNull();
});

test.each([
  ['thread', { thread: threadOf(3) }, {}],
  ['options', { options: SummaryOptions.parse({ style: 'brief' }) }, {}],
  ['record', { record: { version: 0 } }, {}],
  ['model', {}, { model: { ...model, digest: 'sha256:2' } }],
  ['tokens', {}, { rates: { ...PRIOR } }],
])('of another %s it is worked out anew', (_what, assigned, other) => {
  const { foresight, about, drawn } = stage();
  const thread = threadOf(3);
  foresight.foresee(thread, options, about, true);
  const assignment = { thread, options, record: null, ...assigned };
  const opening = foresight.open(assignment, { ...about, ...other });
  expect(drawn.count).toBe(2);
  expect(opening).toEqual(openingOf(assignment, { ...about, ...other }));
});

test.each([
  ['is known', 3, false],
  ['is too long for one prompt', 61, true],
])('nothing but the key of a thread that %s', (_why, comments, isNew) => {
  const { foresight, about, drawn } = stage();
  const thread = threadOf(comments);
  foresight.foresee(thread, options, about, isNew);
  expect(drawn.count).toBe(0);
  expect(foresight.key(thread, options, model)).toBe(summaryKey(thread, options, model));
});

test('the key of what was not foreseen', () => {
  const { foresight, about } = stage();
  const thread = threadOf(3);
  foresight.foresee(thread, options, about, true);
  const brief = SummaryOptions.parse({ style: 'brief' });
  expect(foresight.key(thread, brief, model)).toBe(summaryKey(thread, brief, model));
  expect(foresight.key(threadOf(4), options, model)).toBe(summaryKey(threadOf(4), options, model));
});
