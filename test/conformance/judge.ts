import type { Deviation, Floor } from './deviations.ts';

export type Kind = 'required' | 'optional' | 'check';

/** How the suite itself classifies a result; all but `pass` and `yes` of a required or optional test are misses. */
export type Outcome =
  | 'pass'
  | 'fail'
  | 'yes'
  | 'no'
  | 'untested'
  | 'setup failed'
  | 'harness failed'
  | 'dependency failed'
  | 'retried';

export interface Verdict {
  id: string;
  name: string;
  group: string;
  kind: Kind;
  outcome: Outcome;
  /** What the suite says went wrong. */
  message?: string;
}

/** Tests passed and tests there are, by kind. */
export type Tally = Record<Kind, { passed: number; total: number }>;

export const passes = (verdict: Verdict): boolean => verdict.outcome === 'pass' || verdict.outcome === 'yes';

export function tally(verdicts: Verdict[]): Tally {
  const result: Tally = {
    required: { passed: 0, total: 0 },
    optional: { passed: 0, total: 0 },
    check: { passed: 0, total: 0 },
  };
  for (const verdict of verdicts) {
    result[verdict.kind].total += 1;
    if (passes(verdict)) result[verdict.kind].passed += 1;
  }
  return result;
}

export interface Judgement {
  /** Misses without an entry. */
  unknown: Verdict[];
  /** Misses with an entry, and why. */
  known: { verdict: Verdict; deviation: Deviation }[];
  /** Entries whose test passes now, or which name no required or optional test of this edition. */
  stale: Deviation[];
  /** Counts under the floor, in words. */
  short: string[];
}

/** Compares what was missed with what is known to be missed. A `check` has no right answer and is never a miss. */
export function judge(verdicts: Verdict[], deviations: Deviation[], floor: Floor): Judgement {
  const misses = verdicts.filter((v) => v.kind !== 'check' && !passes(v));
  const byId = new Map(deviations.map((d) => [d.id, d]));
  const known: Judgement['known'] = [];
  const unknown: Verdict[] = [];
  for (const verdict of misses) {
    const deviation = byId.get(verdict.id);
    if (deviation === undefined || deviation.kind !== verdict.kind) unknown.push(verdict);
    else known.push({ verdict, deviation });
  }
  const used = new Set(known.map((k) => k.deviation));
  const counts = tally(verdicts);
  const short = (['required', 'optional'] as const)
    .filter((kind) => counts[kind].passed < floor[kind])
    .map((kind) => `${kind}: ${counts[kind].passed} passed, at least ${floor[kind]} must`);
  return { unknown, known, stale: deviations.filter((d) => !used.has(d)), short };
}

export const accepted = (j: Judgement): boolean =>
  j.unknown.length === 0 && j.stale.length === 0 && j.short.length === 0;
