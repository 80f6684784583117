import { z } from 'zod';

export const Health = z.object({ status: z.literal('ok'), uptimeSeconds: z.number() }).meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

export const Ready = z
  .object({
    ready: z.boolean(),
    checks: z.record(z.string(), z.string()).describe('Each check with `ok` or why not.'),
  })
  .meta({ id: 'Ready' });
export type Ready = z.infer<typeof Ready>;

export const Version = z
  .object({ name: z.string(), version: z.string(), commit: z.string(), node: z.string() })
  .meta({ id: 'Version' });
export type Version = z.infer<typeof Version>;

export const DependencyStatus = z.object({
  name: z.string(),
  state: z.enum(['up', 'down', 'absent', 'unknown']),
  detail: z.string().describe('For a person: what is wrong, or which setting would bring it in.'),
  lastGoodAt: z.iso.datetime().nullable(),
  checkedAt: z.iso.datetime().nullable(),
  latencyMs: z.number().nullable(),
  facts: z.record(z.string(), z.unknown()).optional(),
});
export type DependencyStatus = z.infer<typeof DependencyStatus>;

export const OutboxStatus = z.object({
  target: z.string(),
  pending: z.int(),
  oldestSeconds: z.number(),
  attempts: z.int().describe('Attempts of the call under way.'),
  error: z.string().nullable(),
});
export type OutboxStatus = z.infer<typeof OutboxStatus>;

export const RolloutStatus = z.object({
  deployment: z.string().describe('namespace/name'),
  decision: z.string(),
  reason: z.string(),
  images: z.array(z.string()),
  publishedAt: z.iso.datetime().nullable(),
});
export type RolloutStatus = z.infer<typeof RolloutStatus>;

export const StatusReport = z
  .object({
    now: z.iso.datetime(),
    version: z.string(),
    startedAt: z.iso.datetime(),
    state: z.enum(['good', 'degraded', 'stopping']),
    dependencies: z.array(DependencyStatus),
    outbox: z.array(OutboxStatus),
    rollouts: z.array(RolloutStatus),
  })
  .meta({ id: 'StatusReport' });
export type StatusReport = z.infer<typeof StatusReport>;

export const HookAccepted = z
  .object({ accepted: z.literal(true), reconcile: z.enum(['triggered', 'no-cluster']) })
  .meta({ id: 'HookAccepted', description: 'A hint was taken: the rollouts are looked at again.' });
export type HookAccepted = z.infer<typeof HookAccepted>;
