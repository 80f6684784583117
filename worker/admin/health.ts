import type { Edge } from '../assemble.ts';
import { patience } from '../engine/flight.ts';
import type { Keep } from '../engine/page.ts';
import { json } from './json.ts';

const PROBE_MS = 2_000;

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
}

/** What this isolate knows of itself. Says nothing a stranger could use: no addresses, no tokens. */
export async function edgeHealth(edge: Edge, keep: Keep): Promise<EdgeHealth> {
  const { deps, config } = edge;
  const now = deps.clock();
  await deps.ledger.ready(now, keep);
  const ok = (work: Promise<unknown>): Promise<boolean> =>
    patience(
      work.then(
        () => true,
        () => false,
      ),
      PROBE_MS,
    ).then((value) => value === true);
  const known = deps.ledger.index.seq;
  // The ledger's own number, which this isolate's snapshot may lag behind by a moment.
  const number = deps.leases.read(known).then((snapshot) => snapshot?.seq ?? known);
  const [seq, archiveOk] = await Promise.all([
    patience(
      number.catch(() => undefined),
      PROBE_MS,
    ),
    ok(deps.archive.get('health:/', () => null)),
  ]);
  const ledgerOk = seq !== undefined;
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
    ledger: { ok: ledgerOk, seq: seq ?? known, ageMs: Math.max(0, now - deps.ledger.asOf) },
    archive: { ok: archiveOk },
    upstreams,
  };
}

export async function health(edge: Edge, keep: Keep): Promise<Response> {
  return json(200, await edgeHealth(edge, keep));
}
