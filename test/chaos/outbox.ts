import { mkdirSync, writeFileSync } from 'node:fs';
import { type ChaosReport, outboxChaos, seeded } from '../support/outbox-chaos.ts';
import { startPostgres } from '../support/postgres.ts';

const full = { purges: 10_000, kills: 20 };

/** 10,000 purges and twenty kills, on the embedded store and on PostgreSQL behind PgBouncer. */
export async function chaosOutbox(seed: number): Promise<Record<'embedded' | 'postgres', ChaosReport>> {
  const embedded = await outboxChaos({ ...full, random: seeded(seed) });
  const postgres = await startPostgres();
  try {
    const server = await outboxChaos({ ...full, databaseUrl: postgres.pooledUrl, random: seeded(seed + 1) });
    return { embedded, postgres: server };
  } finally {
    await postgres.stop();
  }
}

if (import.meta.main) {
  const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
  const reports = await chaosOutbox(seed);
  const rows = Object.entries(reports).map(([store, { lost, twice, disorder, ...rest }]) => ({
    store,
    ...rest,
    lost: lost.length,
    twice: twice.length,
    disorder: disorder.length,
  }));
  console.table(rows);
  console.log(`seed ${seed}`);
  mkdirSync('bench', { recursive: true });
  writeFileSync('bench/chaos-outbox.json', `${JSON.stringify({ seed, reports }, null, 2)}\n`);
  process.exitCode = rows.some((row) => row.lost + row.twice + row.disorder > 0) ? 1 : 0;
}
