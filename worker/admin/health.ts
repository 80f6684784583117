import type { Edge } from '../assemble.ts';
import { patience } from '../engine/flight.ts';
import type { Keep } from '../engine/page.ts';
import type { LedgerHealth } from '../ledger/ledger.ts';
import type { HealthHistory } from '../policy/uptime.ts';
import { json } from './json.ts';

const PROBE_MS = 2_000;
/** What ledger and archive said is good for so long: whoever asks more often asks this isolate alone. */
const LATELY_MS = 1_000;

interface Remote {
  readonly at: number;
  readonly ledger: LedgerHealth | undefined;
  readonly archiveOk: boolean;
}

const lately = new WeakMap<Edge, Remote>();

async function remote(edge: Edge, now: number): Promise<Remote> {
  const known = lately.get(edge);
  if (known !== undefined && now - known.at < LATELY_MS) return known;
  const { deps } = edge;
  const inTime = <T>(work: Promise<T>): Promise<T | undefined> =>
    patience(
      work.catch(() => undefined),
      PROBE_MS,
    );
  const [ledger, archive] = await Promise.all([
    inTime(deps.leases.health()),
    inTime(deps.archive.get('health:/', () => null).then(() => true)),
  ]);
  const found = { at: now, ledger, archiveOk: archive === true };
  if (ledger !== undefined) lately.set(edge, found);
  return found;
}

export interface EdgeHealth {
  readonly status: 'ok' | 'degraded';
  readonly colo: string;
  readonly stage: string;
  readonly memory: { readonly pages: number; readonly bytes: number; readonly maxBytes: number };
  readonly ledger: { readonly ok: boolean; readonly seq: number; readonly ageMs: number };
  readonly archive: { readonly ok: boolean };
  readonly upstreams: Readonly<
    Record<string, { readonly breaker: 'closed' | 'open' | 'half-open'; readonly transport: string }>
  >;
  /** Outside-in: how the upstreams answered, by hour (two days) and day (three months), in minutes observed. */
  readonly history: HealthHistory;
}

/** What this isolate knows of itself. Says nothing a stranger could use: no addresses, no tokens. */
export async function edgeHealth(edge: Edge, keep: Keep): Promise<EdgeHealth> {
  const { deps, config } = edge;
  const now = deps.clock();
  await deps.ledger.ready(now, keep);
  const { ledger, archiveOk } = await remote(edge, now);
  const known = deps.ledger.index.seq;
  const ledgerOk = ledger !== undefined;
  const upstreams = Object.fromEntries(
    [...edge.origins].map(([name, { breaker, transportName }]) => {
      const state =
        breaker.openUntil === 0
          ? ('closed' as const)
          : breaker.openUntil > now
            ? ('open' as const)
            : ('half-open' as const);
      return [name, { breaker: state, transport: transportName }];
    }),
  );
  const closed = Object.values(upstreams).every(({ breaker }) => breaker === 'closed');
  return {
    status: ledgerOk && archiveOk && closed ? 'ok' : 'degraded',
    colo: config.colo,
    stage: deps.stage.name,
    memory: { pages: edge.memory.size, bytes: edge.memory.bytes, maxBytes: config.memoryBytes },
    ledger: { ok: ledgerOk, seq: Math.max(known, ledger?.seq ?? 0), ageMs: Math.max(0, now - deps.ledger.asOf) },
    archive: { ok: archiveOk },
    upstreams,
    history: ledger?.history ?? {},
  };
}

export async function health(edge: Edge, keep: Keep): Promise<Response> {
  return json(200, await edgeHealth(edge, keep));
}
