import type { Deployment, PublishedRollout } from '../policy/rollout.ts';
import { insertPurges, type NewPurge } from '../purge/outbox.ts';
import { type Database, one, type Sql } from '../store/database.ts';

interface RolloutRow {
  uid: string;
  generation: number;
  serial: number;
  template: string;
  exposed: string | null;
  published_at: Date | null;
}

export const deploymentKey = ({ namespace, name }: Deployment) => `${namespace}/${name}`;

export async function readRollout(
  sql: Sql,
  key: string,
): Promise<(PublishedRollout & { publishedAt: Date | null }) | null> {
  const row = await one<RolloutRow>(
    sql,
    'SELECT uid, generation, serial, template, exposed, published_at FROM rollout WHERE deployment = $1',
    [key],
  );
  return row && { ...row, publishedAt: row.published_at };
}

export interface Publication {
  readonly deployment: Deployment;
  readonly template: string;
  /** The serial it was decided on; another bridge that was faster has raised it. */
  readonly serial: number;
  readonly purge: NewPurge;
  readonly now: Date;
}

/**
 * Writes the rollout as published and its purge into the outbox in one transaction: never one without the other.
 * @returns false where another bridge has published it meanwhile.
 */
export function publish(
  database: Database,
  { deployment, template, serial, purge, now }: Publication,
): Promise<boolean> {
  const key = deploymentKey(deployment);
  return database.transaction(async (sql) => {
    const written = await sql.query(
      `INSERT INTO rollout (deployment, uid, generation, serial, template, images, published_at, purge_id, exposed)
       VALUES ($1, $2, $3, 1, $4, $5::text::jsonb, $6, $7, NULL)
       ON CONFLICT (deployment) DO UPDATE SET uid = $2, generation = $3, serial = rollout.serial + 1, template = $4,
         images = $5::text::jsonb, published_at = $6, purge_id = $7, exposed = NULL
       WHERE rollout.serial = $8 RETURNING serial`,
      [
        key,
        deployment.uid,
        deployment.generation,
        template,
        JSON.stringify(deployment.images),
        now.toISOString(),
        purge.id,
        serial,
      ],
    );
    if (written.length === 0) return false;
    await insertPurges(sql, [purge], now);
    return true;
  });
}

export async function noteExposure(sql: Sql, key: string, template: string): Promise<void> {
  await sql.query('UPDATE rollout SET exposed = $2 WHERE deployment = $1', [key, template]);
}
