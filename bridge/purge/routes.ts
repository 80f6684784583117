import type { Gate } from '../../shared/access/gate.ts';
import { PurgeRequest } from '../../shared/contract/purge.ts';
import { routes } from '../../shared/contract/routes.ts';
import { parseJson } from '../http/body.ts';
import { refuse } from '../http/errors.ts';
import { type App, mount } from '../http/route.ts';
import type { Sql } from '../store/database.ts';
import { purgeStatus } from './ledger-view.ts';
import type { AcceptResult, Outbox } from './outbox.ts';

export interface PurgeRoutes {
  readonly gate: Gate;
  readonly sql: Sql;
  readonly outbox: Pick<Outbox, 'accept'>;
  readonly targets: readonly string[];
  readonly publicHosts: readonly string[];
  readonly newId: () => string;
}

export function mountPurgeRoutes(app: App, parts: PurgeRoutes): void {
  mount(app, routes.purge, parts.gate, async (context) => {
    const json = parseJson(context.get('rawBody'));
    if (!json.ok) return refuse(context, { status: 400, code: 'not-json', message: json.message });
    const parsed = PurgeRequest.safeParse(json.value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const field = issue?.path.join('.') ?? '';
      return refuse(context, {
        status: 400,
        code: 'invalid',
        message: issue?.message ?? 'The request does not hold.',
        field,
      });
    }
    const stranger = foreignWarmUrl(parsed.data, parts.publicHosts);
    if (stranger !== null) {
      const message = `${stranger} is not one of ours: pages can be warmed on ${parts.publicHosts.join(', ') || 'no host'} (PUBLIC_URL).`;
      return refuse(context, { status: 400, code: 'foreign-host', message, field: 'warm' });
    }
    const { id = parts.newId(), ...body } = parsed.data;
    const caller = context.get('caller');
    const result = await parts.outbox.accept({
      id,
      caller: `${caller.kind}:${caller.name}`,
      requestId: context.get('requestId'),
      body,
    });
    return result.kind === 'accepted'
      ? context.json(accepted(result), 202, noStore)
      : refuse(context, refusals[result.kind]);
  });

  mount(app, routes.purgeStatus, parts.gate, async (context) => {
    const status = await purgeStatus(parts.sql, context.req.param('id') ?? '', parts.targets);
    if (status) return context.json(status, 200, noStore);
    const message = 'No such purge: the id is wrong, or it is older than the retention.';
    return refuse(context, { status: 404, code: 'unknown-purge', message });
  });
}

const noStore = { 'cache-control': 'no-store' };

const accepted = (result: Extract<AcceptResult, { kind: 'accepted' }>) => ({
  id: result.id,
  acceptedAt: result.acceptedAt.toISOString(),
  replayed: result.replayed,
  status: `/v1/purges/${result.id}`,
});

const refusals = {
  conflict: {
    status: 409,
    code: 'id-in-use',
    message: 'This id was used for another purge: give a new purge a new id.',
    field: 'id',
  },
  unstorable: {
    status: 400,
    code: 'invalid',
    message: 'The store cannot hold a character of this purge: leave out control characters and half surrogate pairs.',
  },
  unavailable: {
    status: 503,
    code: 'not-accepted',
    message: 'The purge could not be made durable, so it was not accepted: try again.',
    headers: { 'retry-after': '2' },
  },
} as const;

/** Only pages the edge serves are ever fetched, whoever asks. */
function foreignWarmUrl(purge: PurgeRequest, hosts: readonly string[]): string | null {
  if (purge.warm === undefined) return null;
  const pages =
    purge.warm === true
      ? (purge.urls ?? [])
      : [...(purge.warm.urls ?? []), ...(purge.warm.sitemap ? [purge.warm.sitemap] : [])];
  return pages.find((page) => !URL.canParse(page) || !hosts.includes(new URL(page).host)) ?? null;
}
