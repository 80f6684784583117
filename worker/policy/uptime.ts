/** What an isolate saw of an upstream since it last told the ledger: its own requests, counted. Times in ms. */
export interface Sighting {
  readonly upstream: string;
  /** When the last of them was answered, or given up. */
  readonly at: number;
  readonly up: number;
  readonly down: number;
  /** Mean time to the response head, of those that were answered. */
  readonly ms: number;
  /** The last one's status, or why there was none. */
  readonly said: string;
}

/** An hour or a day of an upstream, in minutes that anyone looked: a minute without a request is neither up nor down. */
export interface Span {
  /** Its beginning, ms. */
  readonly at: number;
  readonly up: number;
  readonly down: number;
  /** Mean time to the response head over the minutes it was up. */
  readonly ms: number;
  /** What was said in the last minute that counts as down. */
  readonly failure?: string;
}

export interface UpstreamHistory {
  readonly hours: readonly Span[];
  readonly days: readonly Span[];
  /** The newest sighting. */
  readonly last?: Sighting;
}

export type HealthHistory = Readonly<Record<string, UpstreamHistory>>;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A minute's requests are a verdict: down when at least as many failed as were answered. */
export function isDown({ up, down }: Pick<Sighting, 'up' | 'down'>): boolean {
  return down > 0 && down >= up;
}

/** Two sightings of one upstream as one; the later one has the last word. */
export function together(a: Sighting, b: Sighting): Sighting {
  const up = a.up + b.up;
  const later = b.at >= a.at ? b : a;
  return { ...later, up, down: a.down + b.down, ms: up === 0 ? 0 : (a.ms * a.up + b.ms * b.up) / up };
}

/** One bar of a chart; without a span nobody looked. */
export interface Bar {
  readonly at: number;
  readonly span?: Span;
}

/** The last `count` bars of `lengthMs` each, the current one last, gaps kept as gaps. */
export function bars(spans: readonly Span[], lengthMs: number, count: number, now: number): readonly Bar[] {
  const byStart = new Map(spans.map((span) => [span.at, span]));
  const current = Math.floor(now / lengthMs) * lengthMs;
  return Array.from({ length: count }, (_, index) => {
    const at = current - (count - 1 - index) * lengthMs;
    const span = byStart.get(at);
    return span === undefined ? { at } : { at, span };
  });
}

/** Minutes observed, and the share of them it was up; undefined where nobody looked. */
export function uptime(spans: readonly Span[]): { readonly minutes: number; readonly share: number } | undefined {
  const up = spans.reduce((sum, span) => sum + span.up, 0);
  const minutes = spans.reduce((sum, span) => sum + span.down, up);
  return minutes === 0 ? undefined : { minutes, share: up / minutes };
}
