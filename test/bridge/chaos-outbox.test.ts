import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { outboxChaos, seeded } from '../support/outbox-chaos.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

/** The full measure, 10,000 purges and twenty kills, is `npm run chaos`; this is the same in small. */
const small = { purges: 1500, kills: 5 };
const whole = { accepted: small.purges, kills: small.kills, lost: [], twice: [], disorder: [] };

test('embedded store: killed again and again, no purge is lost, doubled or overtaken', async () => {
  expect(await outboxChaos({ ...small, random: seeded(1) })).toMatchObject(whole);
}, 240_000);

describe('PostgreSQL through PgBouncer in transaction mode', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 120_000);
  afterAll(() => postgres.stop());

  test('killed again and again, no purge is lost, doubled or overtaken', async () => {
    expect(await outboxChaos({ ...small, databaseUrl: postgres.pooledUrl, random: seeded(2) })).toMatchObject(whole);
  }, 240_000);
});
