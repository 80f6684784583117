import { expect, test } from 'vitest';
import { sentenceStream } from './partial.ts';

const input = {
  prompt: { user: 'zz\nc0: Nice.\nzz', nonce: 'zz', orders: [], phrases: new Set<string>() },
  language: 'en',
};

/** What is passed on of an answer that comes in pieces of so many characters. */
function passed(answer: string, most: number, size: number): string[] {
  const sent: string[] = [];
  const onText = sentenceStream(input, most, { send: (delta) => sent.push(delta), isHeard: () => true });
  for (let at = 0; at < answer.length; at += size) onText(answer.slice(at, at + size));
  return sent;
}

const json = (summary: string): string => JSON.stringify({ summary, points: [{ text: 'x', ids: ['c0'] }] });

test.each([
  [
    'whole sentences',
    'One is fast. Two are slow. Three agree.',
    4,
    ['One is fast.', ' Two are slow.', ' Three agree.'],
  ],
  ['no more than were asked for', 'One is fast. Two are slow. Three agree.', 2, ['One is fast.', ' Two are slow.']],
  ['nothing from a link on', 'One is fast. See https://evil.example now. Three agree.', 4, ['One is fast.']],
  ['nothing from a sentence on that was said', 'One is fast. One is  fast! Three agree.', 4, ['One is fast.']],
  ['other scripts', '备份很慢。价格太高。', 4, ['备份很慢。', ' 价格太高。']],
  ['escapes', 'He said "no". A\\b stays.', 4, ['He said "no".', ' A\\b stays.']],
])('%s, however the pieces fall', (_name, summary, most, expected) => {
  for (const size of [1, 2, 7, 1000]) expect(passed(json(summary), most, size)).toEqual(expected);
});

test('an answer that is not the JSON asked for passes nothing on', () => {
  for (const answer of ['plain words.', '{"points":[]}', '["summary"]', '{"summary":["a."]}'])
    expect(passed(answer, 4, 3)).toEqual([]);
});

test('nothing is looked at before somebody listens, who then hears all of it', () => {
  const sent: string[] = [];
  let isHeard = false;
  const onText = sentenceStream(input, 4, { send: (delta) => sent.push(delta), isHeard: () => isHeard });
  const answer = json('One is fast. Two are slow. Three agree.');
  onText(answer.slice(0, 40));
  expect(sent).toEqual([]);
  isHeard = true;
  onText(answer.slice(40));
  expect(sent).toEqual(['One is fast.', ' Two are slow.', ' Three agree.']);
});
