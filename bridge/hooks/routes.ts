import type { Context } from 'hono';
import type { Gate } from '../../shared/access/gate.ts';
import { routes } from '../../shared/contract/routes.ts';
import type { HookAccepted } from '../../shared/contract/status.ts';
import { parseJson } from '../http/body.ts';
import type { BridgeEnv } from '../http/env.ts';
import { refuse } from '../http/errors.ts';
import { type App, mount } from '../http/route.ts';
import { changedStage } from './changes.ts';
import { isRecent, SeenOnce, signatureHolds } from './signature.ts';

export interface HookRoutes {
  readonly gate: Gate;
  readonly fluxHmacKey: string | null;
  /** Looks at the rollouts now; null without a cluster. What a hook says decides nothing but that. */
  readonly reconcile: (() => void) | null;
  readonly heardFromFlux: (event: { reason: string; severity: string }, changed: string | null) => void;
  readonly now: () => number;
}

export function mountHookRoutes(app: App, parts: HookRoutes): void {
  const seen = new SeenOnce();

  mount(app, routes.hookFlux, parts.gate, (context) => {
    const body = context.get('rawBody');
    const signature = context.req.header('x-signature') ?? null;
    if (parts.fluxHmacKey === null || !signatureHolds(signature, body, parts.fluxHmacKey)) {
      const message =
        'X-Signature does not match the body: is the secret of the Flux Provider the FLUX_HMAC_KEY of the bridge?';
      return refuse(context, { status: 401, code: 'bad-signature', message });
    }
    const json = parseJson(body);
    const event = (json.ok && typeof json.value === 'object' ? json.value : {}) as Record<string, unknown>;
    if (!isRecent(event.timestamp, parts.now())) {
      const message = 'The event is too old, too far ahead or names no time: check the clocks.';
      return refuse(context, { status: 401, code: 'stale-event', message });
    }
    if (!seen.add(signature ?? '', parts.now())) {
      return refuse(context, { status: 409, code: 'replayed', message: 'This event was delivered before.' });
    }
    parts.heardFromFlux({ reason: word(event.reason), severity: word(event.severity) }, changedStage(event));
    return accept(context, parts);
  });

  mount(app, routes.hookArgocd, parts.gate, (context) => accept(context, parts));
}

function accept(context: Context<BridgeEnv>, { reconcile }: HookRoutes): Response {
  reconcile?.();
  const answer: HookAccepted = { accepted: true, reconcile: reconcile === null ? 'no-cluster' : 'triggered' };
  return context.json(answer, 202, { 'cache-control': 'no-store' });
}

/** Flux's vocabulary is words; anything else is not repeated. */
const word = (value: unknown) => (typeof value === 'string' && /^\w{1,64}$/.test(value) ? value : 'unknown');
