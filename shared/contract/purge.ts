import { z } from 'zod';

/** Items (tags + prefixes + urls) one purge may carry: the edge's own limit for one call, so that a purge never needs two. */
export const PURGE_ITEMS_MAX = 1000;

// Cloudflare allows tags up to 1,024 printable ASCII characters without spaces; a comma separates them in `Cache-Tag`.
const Tag = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[\x21-\x2b\x2d-\x7e]+$/, 'a tag is printable ASCII without spaces or commas');
const Prefix = z
  .string()
  .max(1024)
  .regex(
    /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/,
    'a prefix is an absolute path such as /posts/, without query or fragment',
  );
// JSON can carry what neither a database's text nor a URL may: control characters and halves of surrogate pairs.
const Url = z
  .string()
  .max(4096)
  .regex(
    /^https?:\/\/[^\s\p{Cc}\p{Cs}/?#@\\]+(?:[/?][^\s\p{Cc}\p{Cs}#]*)?$/u,
    'an absolute http or https URL without user info, fragment, control characters or half surrogate pairs',
  );

export const Warm = z
  .strictObject({ urls: z.array(Url).max(PURGE_ITEMS_MAX).optional(), sitemap: Url.optional() })
  .refine((warm) => (warm.urls?.length ?? 0) > 0 || warm.sitemap !== undefined, {
    message: 'name urls, a sitemap, or both',
  })
  .meta({
    id: 'Warm',
    description: 'Pages to fetch into the archive once the purge is in effect; hosts must be ours.',
  });

export const PurgeMode = z.enum(['invalidate', 'delete']);

export const PurgeRequest = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{8,128}$/, '8 to 128 letters, digits, dots, underscores, colons or dashes')
      .optional()
      .describe('Names the purge, so that sending it again changes nothing. Made up where absent.'),
    tags: z.array(Tag).optional(),
    prefixes: z.array(Prefix).optional(),
    urls: z.array(Url).optional(),
    everything: z.literal(true).optional(),
    mode: PurgeMode.default('invalidate').describe(
      '`invalidate` keeps the copy for an outage, `delete` takes it down.',
    ),
    warm: z
      .union([z.literal(true), Warm])
      .optional()
      .describe('`true` warms the purged urls.'),
  })
  .superRefine((purge, context) => {
    const items = purgeItems(purge);
    const fail = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', message, path });
    if (items === 0 && purge.everything === undefined) fail('name tags, prefixes, urls or everything');
    if (items > 0 && purge.everything !== undefined) fail('everything stands alone', ['everything']);
    if (items > PURGE_ITEMS_MAX) fail(`${items} items; at most ${PURGE_ITEMS_MAX} a purge, send several`);
    if (purge.warm === true && !purge.urls?.length) fail('true warms the purged urls, and none are named', ['warm']);
  })
  .meta({ id: 'PurgeRequest', description: 'What is no longer fresh.' });
export type PurgeRequest = z.infer<typeof PurgeRequest>;
/** What a caller writes: the defaults may be left out. */
export type PurgeInput = z.input<typeof PurgeRequest>;
export type PurgeMode = z.infer<typeof PurgeMode>;

export function purgeItems(purge: {
  tags?: readonly string[] | undefined;
  prefixes?: readonly string[] | undefined;
  urls?: readonly string[] | undefined;
}): number {
  return (purge.tags?.length ?? 0) + (purge.prefixes?.length ?? 0) + (purge.urls?.length ?? 0);
}

export const PurgeAccepted = z
  .object({
    id: z.string(),
    acceptedAt: z.iso.datetime(),
    replayed: z.boolean().describe('True where this id had been accepted before; nothing new was queued.'),
    status: z.string().describe('Path of its status.'),
  })
  .meta({ id: 'PurgeAccepted', description: 'Durably queued: survives a crash of any part.' });
export type PurgeAccepted = z.infer<typeof PurgeAccepted>;

export const TargetStatus = z.object({
  target: z.string().describe('`edge` (the ledger), `cloudflare` (zone purge) or `warm`.'),
  state: z.enum(['queued', 'delivering', 'delivered', 'rejected', 'nothing-to-do']),
  attempts: z.int().nonnegative(),
  batch: z.string().optional().describe('The call that carries it, shared with its neighbours in the queue.'),
  lastAttemptAt: z.iso.datetime().optional(),
  nextAttemptAt: z.iso.datetime().optional(),
  settledAt: z.iso.datetime().optional(),
  error: z.string().optional(),
  outcome: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("The target's own answer, such as the ledger's `seq`."),
});
export type TargetStatus = z.infer<typeof TargetStatus>;

export const PurgeStatus = z
  .object({
    id: z.string(),
    acceptedAt: z.iso.datetime(),
    caller: z.string(),
    state: z.enum(['pending', 'delivered', 'rejected']),
    request: PurgeRequest,
    targets: z.array(TargetStatus),
  })
  .meta({ id: 'PurgeStatus' });
export type PurgeStatus = z.infer<typeof PurgeStatus>;
