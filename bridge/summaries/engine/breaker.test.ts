import { describe, expect, test } from 'vitest';
import type { FailureName } from '../types.ts';
import { admit, BREAKER_LIMITS, type BreakerState, CLOSED, settle } from './breaker.ts';

const NOW = 1_000_000;
const limits = BREAKER_LIMITS;
const half: BreakerState = { kind: 'half-open', openings: 1, failure: 'crashed' };
const openUntil = (until: number, openings = 1, failure: FailureName = 'crashed'): BreakerState => ({
  kind: 'open',
  until,
  openings,
  failure,
});

describe('admission', () => {
  test.each<[string, BreakerState, object, BreakerState]>([
    ['closed: passes', CLOSED, { kind: 'pass' }, CLOSED],
    ['one failure: passes', { kind: 'closed', failures: 1 }, { kind: 'pass' }, { kind: 'closed', failures: 1 }],
    [
      'open: refused, with what is left',
      openUntil(NOW + 1),
      { kind: 'refuse', failure: 'crashed', retryAfterMs: 1 },
      openUntil(NOW + 1),
    ],
    ['its time is over: one probe', openUntil(NOW), { kind: 'probe' }, half],
    ['a probe is under way: refused', half, { kind: 'refuse', failure: 'crashed', retryAfterMs: 2000 }, half],
  ])('%s', (_, state, verdict, after) => {
    expect(admit(state, NOW)).toEqual({ verdict, state: after });
  });
});

describe('the end of a request', () => {
  const one: BreakerState = { kind: 'closed', failures: 1 };
  test.each<[string, BreakerState, FailureName | null, boolean, number, BreakerState]>([
    ['success', CLOSED, null, false, 0, CLOSED],
    ['success forgets failures', one, null, false, 0, CLOSED],
    ['a first crash is noted', CLOSED, 'crashed', false, 0, one],
    ['a second opens: half the delay at least', one, 'crashed', false, 0, openUntil(NOW + 2500)],
    ['and the whole at most', one, 'crashed', false, 1, openUntil(NOW + 5000)],
    ['busy passes by itself', one, 'busy', false, 1, one],
    ['a busy probe leaves the next to be one', half, 'busy', true, 1, openUntil(NOW)],
    ['unreachable counts', one, 'unreachable', false, 1, openUntil(NOW + 5000, 1, 'unreachable')],
    ['a stream without done counts', one, 'incomplete', false, 1, openUntil(NOW + 5000, 1, 'incomplete')],
    ['something else answers', one, 'not-ollama', false, 1, openUntil(NOW + 5000, 1, 'not-ollama')],
    [
      'no first token opens at once',
      CLOSED,
      'first-token-timeout',
      false,
      1,
      openUntil(NOW + 5000, 1, 'first-token-timeout'),
    ],
    ['so does a stall', CLOSED, 'stalled', false, 1, openUntil(NOW + 5000, 1, 'stalled')],
    ['so does the CPU', CLOSED, 'on-cpu', false, 1, openUntil(NOW + 5000, 1, 'on-cpu')],
    ['a cut answer is no failure of the engine', one, 'length', false, 0, CLOSED],
    ['nor is a refused prompt', one, 'context-exceeded', false, 0, CLOSED],
    ['nor a model that is not there', one, 'model-missing', false, 0, CLOSED],
    ['one that nobody waited for says nothing', one, 'aborted', false, 0, one],
    ['a probe that works closes', half, null, true, 0, CLOSED],
    ['a probe that fails doubles the delay', half, 'crashed', true, 1, openUntil(NOW + 10_000, 2)],
    ['up to a bound', { ...half, openings: 20 }, 'stalled', true, 1, openUntil(NOW + 300_000, 21, 'stalled')],
    ['a probe broken off leaves the next to be one', half, 'aborted', true, 0, openUntil(NOW)],
    ['late news while open', openUntil(NOW + 9), 'crashed', false, 0, openUntil(NOW + 9)],
    ['late success while open', openUntil(NOW + 9), null, false, 0, openUntil(NOW + 9)],
    ['late news while probing', half, null, false, 0, half],
  ])('%s', (_, state, failure, probe, random, after) => {
    expect(settle(state, { failure, probe, now: NOW, random, limits })).toEqual(after);
  });
});
