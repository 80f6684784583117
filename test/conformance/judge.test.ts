import { expect, test } from 'vitest';
import { DEVIATIONS, type Deviation } from './deviations.ts';
import { accepted, judge, type Kind, type Outcome, tally, type Verdict } from './judge.ts';

const verdict = (id: string, kind: Kind, outcome: Outcome): Verdict => ({ id, name: id, group: 'g', kind, outcome });
const entry = (id: string, kind: Deviation['kind']): Deviation => ({ id, kind, reason: 'r', anchor: 'RFC 9111' });
const none = { required: 0, optional: 0 };

const cases: [string, Verdict[], Deviation[], typeof none, { unknown: string[]; stale: string[]; short: number }][] = [
  ['a pass', [verdict('a', 'required', 'pass')], [], none, { unknown: [], stale: [], short: 0 }],
  ['an unlisted miss', [verdict('a', 'required', 'fail')], [], none, { unknown: ['a'], stale: [], short: 0 }],
  [
    'a listed miss',
    [verdict('a', 'optional', 'fail')],
    [entry('a', 'optional')],
    none,
    { unknown: [], stale: [], short: 0 },
  ],
  [
    'a listed miss of another kind',
    [verdict('a', 'required', 'fail')],
    [entry('a', 'optional')],
    none,
    { unknown: ['a'], stale: ['a'], short: 0 },
  ],
  [
    'a listed pass',
    [verdict('a', 'required', 'pass')],
    [entry('a', 'required')],
    none,
    { unknown: [], stale: ['a'], short: 0 },
  ],
  ['an entry for no test', [], [entry('gone', 'required')], none, { unknown: [], stale: ['gone'], short: 0 }],
  ['a check answered no', [verdict('a', 'check', 'no')], [], none, { unknown: [], stale: [], short: 0 }],
  [
    'a failed prerequisite',
    [verdict('a', 'optional', 'dependency failed')],
    [],
    none,
    { unknown: ['a'], stale: [], short: 0 },
  ],
  [
    'listed, but under the floor',
    [verdict('a', 'required', 'fail')],
    [entry('a', 'required')],
    { required: 1, optional: 0 },
    { unknown: [], stale: [], short: 1 },
  ],
];

test.each(cases)('%s', (_name, verdicts, deviations, floor, expected) => {
  const result = judge(verdicts, deviations, floor);
  expect(result.unknown.map((v) => v.id)).toEqual(expected.unknown);
  expect(result.stale.map((d) => d.id)).toEqual(expected.stale);
  expect(result.short).toHaveLength(expected.short);
  const clean = expected.unknown.length + expected.stale.length + expected.short === 0;
  expect(accepted(result)).toBe(clean);
});

test('tally counts by kind', () => {
  const verdicts = [
    verdict('a', 'required', 'pass'),
    verdict('b', 'required', 'setup failed'),
    verdict('c', 'optional', 'pass'),
    verdict('d', 'check', 'yes'),
    verdict('e', 'check', 'no'),
  ];
  expect(tally(verdicts)).toEqual({
    required: { passed: 1, total: 2 },
    optional: { passed: 1, total: 1 },
    check: { passed: 1, total: 2 },
  });
});

test.each(Object.entries(DEVIATIONS))('deviations of edition %s are listed once and say why', (_edition, list) => {
  expect(new Set(list.map((d) => d.id)).size).toBe(list.length);
  for (const d of list) expect([d.reason.endsWith('.'), /^RFC \d+ section /.test(d.anchor)]).toEqual([true, true]);
});
