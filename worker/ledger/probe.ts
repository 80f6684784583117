import type { Upstream } from '../../shared/site.ts';
import type { Origin } from '../origin/origin.ts';
import { fillFields } from '../policy/forward.ts';

/** Asks an upstream for the head of its health page; any answer of its own shows it alive. Rejects never. */
export async function probe(origin: Origin, upstream: Upstream | undefined): Promise<void> {
  if (upstream === undefined) return;
  const id = crypto.randomUUID();
  const client = { address: undefined, requestId: id, ownRequestId: id, cdnLoop: null };
  const result = await origin.fetch({ method: 'HEAD', target: '/health', headers: fillFields(upstream, client) });
  if (result.ok) await result.response.body?.cancel().catch(() => undefined);
}
