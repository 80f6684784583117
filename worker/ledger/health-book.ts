import {
  DAY_MS,
  type HealthHistory,
  HOUR_MS,
  isDown,
  MINUTE_MS,
  type Sighting,
  type Span,
  together,
} from '../policy/uptime.ts';

/** How much of the past is kept: hours for two days, days for three months. */
export const KEEP_HOURS = 48;
export const KEEP_DAYS = 90;
/** A sighting older than this is not counted any more: its minute has been judged. */
const LATE_MS = 10 * MINUTE_MS;

const SCHEMA = `CREATE TABLE IF NOT EXISTS health (
  upstream TEXT NOT NULL, length INTEGER NOT NULL, at INTEGER NOT NULL,
  up INTEGER NOT NULL, down INTEGER NOT NULL, ms REAL NOT NULL, failure TEXT NOT NULL,
  PRIMARY KEY (upstream, length, at)
)`;

const ADD = `INSERT INTO health (upstream, length, at, up, down, ms, failure) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET up = up + excluded.up, down = down + excluded.down, ms = ms + excluded.ms,
  failure = CASE excluded.failure WHEN '' THEN failure ELSE excluded.failure END`;

type Row = { upstream: string; length: number; at: number; up: number; down: number; ms: number; failure: string };

/**
 * Outside-in health samples. Each minute someone looked at an upstream is one verdict, added to its hour and its day:
 * two rows written a minute and upstream, however many data centres tell. A verdict that turns is written again.
 */
export class HealthBook {
  readonly #sql: SqlStorage;
  readonly #last = new Map<string, Sighting>();
  /** The running minute of each upstream, as far as this object remembers. */
  readonly #minutes = new Map<string, { readonly all: Sighting; readonly counted: Sighting }>();
  #rows: readonly Row[] | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  note(sighting: Sighting, now: number): void {
    const { upstream, at } = sighting;
    if (at > now + MINUTE_MS || now - at > LATE_MS) return;
    const last = this.#last.get(upstream);
    if (last === undefined || at >= last.at) this.#last.set(upstream, sighting);
    const minute = (time: number): number => Math.floor(time / MINUTE_MS);
    const before = this.#minutes.get(upstream);
    if (before === undefined || minute(at) > minute(before.all.at)) {
      this.#minutes.set(upstream, { all: sighting, counted: sighting });
      this.#count(sighting, 1);
    } else if (minute(at) === minute(before.all.at)) {
      const all = together(before.all, sighting);
      const turned = isDown(all) !== isDown(before.counted);
      this.#minutes.set(upstream, { all, counted: turned ? all : before.counted });
      if (!turned) return;
      this.#count(before.counted, -1);
      this.#count(all, 1);
    }
  }

  /** Adds a minute's verdict to its hour and its day, or takes it out again. */
  #count(sighting: Sighting, sign: 1 | -1): void {
    const { upstream, at, ms, said } = sighting;
    const down = isDown(sighting);
    const values = down ? [0, sign, 0, sign === 1 ? said : ''] : [sign, 0, ms * sign, ''];
    for (const length of [HOUR_MS, DAY_MS])
      this.#sql.exec(ADD, upstream, length, Math.floor(at / length) * length, ...values);
    this.#rows = undefined;
  }

  /** When the upstream was last looked at; undefined where this object does not remember. */
  lastSeen(upstream: string): number | undefined {
    return this.#last.get(upstream)?.at;
  }

  history(): HealthHistory {
    this.#rows ??= this.#sql.exec<Row>('SELECT * FROM health ORDER BY at').toArray();
    const names = new Set([...this.#rows.map(({ upstream }) => upstream), ...this.#last.keys()]);
    const spans = (name: string, length: number): Span[] =>
      (this.#rows ?? []).filter((row) => row.upstream === name && row.length === length).map(spanOf);
    const entries = [...names].sort().map((name) => {
      const last = this.#last.get(name);
      const known = last === undefined ? {} : { last };
      return [name, { hours: spans(name, HOUR_MS), days: spans(name, DAY_MS), ...known }] as const;
    });
    return Object.fromEntries(entries);
  }

  compact(now: number): void {
    this.#sql.exec('DELETE FROM health WHERE length = ? AND at <= ?', HOUR_MS, now - KEEP_HOURS * HOUR_MS);
    this.#sql.exec('DELETE FROM health WHERE length = ? AND at <= ?', DAY_MS, now - KEEP_DAYS * DAY_MS);
    this.#rows = undefined;
  }
}

function spanOf({ at, up, down, ms, failure }: Row): Span {
  const mean = up === 0 ? 0 : Math.round(ms / up);
  return { at, up, down, ms: mean, ...(down > 0 && failure !== '' ? { failure } : {}) };
}
