import type { Gate } from '../../shared/access/gate.ts';
import { routes } from '../../shared/contract/routes.ts';
import type { Health, Ready, StatusReport, Version } from '../../shared/contract/status.ts';
import { openApiDocument } from '../../shared/openapi.ts';
import { type App, mount } from '../http/route.ts';
import type { Metrics } from './metrics.ts';
import { statusPage } from './status-page.ts';

export interface HealthRoutes {
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly version: Version;
  readonly uptimeSeconds: () => number;
  /** From what is known already: none of these asks a dependency. */
  readonly ready: () => Ready;
  readonly report: () => StatusReport;
}

export function mountHealthRoutes(app: App, parts: HealthRoutes): void {
  const noStore = { 'cache-control': 'no-store' };
  mount(app, routes.health, parts.gate, (context) => {
    const health: Health = { status: 'ok', uptimeSeconds: parts.uptimeSeconds() };
    return context.json(health, 200, noStore);
  });
  mount(app, routes.ready, parts.gate, (context) => {
    const ready = parts.ready();
    return context.json(ready, ready.ready ? 200 : 503, noStore);
  });
  mount(app, routes.version, parts.gate, (context) => context.json(parts.version, 200, noStore));
  mount(app, routes.metrics, parts.gate, async (context) => {
    const { registry } = parts.metrics;
    return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType, ...noStore });
  });
  mount(app, routes.status, parts.gate, (context) => {
    const report = parts.report();
    if (!wantsPage(context.req.header('accept') ?? ''))
      return context.json(report, 200, { ...noStore, vary: 'Accept' });
    return context.html(statusPage(report), 200, { ...noStore, vary: 'Accept', ...pageHeaders });
  });
  const document = openApiDocument(parts.version.version);
  mount(app, routes.openapi, parts.gate, (context) =>
    context.json(document, 200, { 'cache-control': 'public, max-age=300' }),
  );
}

/** A browser names text/html before the wildcard; curl and clients do not name it. */
const wantsPage = (accept: string) => accept.includes('text/html');

const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
