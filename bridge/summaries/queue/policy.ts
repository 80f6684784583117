import type { Priority } from '../types.ts';

/** What the order is decided by. */
export interface Waiting {
  /** In order of arrival. */
  readonly seq: number;
  readonly caller: string;
  readonly priority: Priority;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export interface QueueLimits {
  /** Generations at a time: a small GPU has one. */
  readonly slots: number;
  /** Generations that may wait. */
  readonly max: number;
  /** Of these, those of one caller. */
  readonly perCaller: number;
  /** Requests that may wait for a generation, their own or another's. */
  readonly waitersMax: number;
  /** Milliseconds after which what waits in the background is as urgent as what a reader waits for. */
  readonly ageMs: number;
}

/** Background work may fill this share of the queue: however much of it there is, a reader's request finds room. */
const BACKGROUND_SHARE = 0.75;

export type Admission = { readonly ok: true } | { readonly ok: false; readonly reason: 'full' | 'caller-full' };

export function admit(
  waiting: readonly Waiting[],
  one: Pick<Waiting, 'caller' | 'priority'>,
  limits: QueueLimits,
): Admission {
  if (waiting.length >= limits.max) return { ok: false, reason: 'full' };
  const background = waiting.filter(({ priority }) => priority === 'background').length;
  const room = Math.max(1, Math.floor(limits.max * BACKGROUND_SHARE));
  if (one.priority === 'background' && background >= room) return { ok: false, reason: 'full' };
  const own = waiting.filter(({ caller }) => caller === one.caller).length;
  return own >= limits.perCaller ? { ok: false, reason: 'caller-full' } : { ok: true };
}

/**
 * What waits, in the order in which it would be served if nothing else came. Urgent before background, where waiting long makes
 * urgent; among equals the callers take turns, the one that was served longest ago first; of one caller the oldest first.
 *
 * So nothing starves: after `ageMs` an item waits for at most one turn of every other caller for each older item of its own.
 * @param servedAt a number that grows with each turn, by caller; absent: never served.
 */
export function order<Item extends Waiting>(
  waiting: readonly Item[],
  servedAt: ReadonlyMap<string, number>,
  now: number,
  ageMs: number,
): Item[] {
  const isUrgent = ({ priority, since }: Item) => priority === 'interactive' || now - since >= ageMs;
  const urgent = waiting.filter(isUrgent);
  const rest = waiting.filter((item) => !isUrgent(item));
  return [...takeTurns(urgent, servedAt), ...takeTurns(rest, servedAt)];
}

function takeTurns<Item extends Waiting>(items: readonly Item[], servedAt: ReadonlyMap<string, number>): Item[] {
  const byCaller = new Map<string, Item[]>();
  for (const item of [...items].sort((a, b) => a.seq - b.seq)) {
    const own = byCaller.get(item.caller);
    if (own) own.push(item);
    else byCaller.set(item.caller, [item]);
  }
  const turn = (caller: string) => servedAt.get(caller) ?? -1;
  const lanes = [...byCaller].sort(([a], [b]) => turn(a) - turn(b)).map(([, own]) => own);
  const longest = Math.max(0, ...lanes.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) => lanes.flatMap((own) => own[round] ?? [])).flat();
}

/** The mean of what came lately: a slow model is noticed within a few generations. */
export function smoothed(meanMs: number, newMs: number): number {
  return meanMs + (newMs - meanMs) * 0.2;
}

const RETRY = { minMs: 1000, maxMs: 120_000 };

/** Milliseconds until there is room again: one place where one is needed, the caller's own work where that is in the way. */
export function retryAfterMs(ahead: number, meanMs: number, slots: number): number {
  return Math.round(Math.min(RETRY.maxMs, Math.max(RETRY.minMs, (ahead * meanMs) / slots)));
}
