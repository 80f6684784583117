import type { Hono } from 'hono';
import { cacheControl } from './http/cache-headers.ts';
import type { Metrics } from './metrics.ts';

export interface Version {
  readonly name: string;
  readonly version: string;
  readonly commit?: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly status: 'ready' | 'starting' | 'draining';
  readonly posts: number;
  /** `file:line: field: what to do`, and why the directory cannot be read if it cannot. */
  readonly problems: readonly string[];
}

export interface MachineRoutes {
  readonly version: Version;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
}

/** What orchestrators, load balancers and dashboards ask. Never stored by any cache. */
export function addMachineRoutes(app: Hono, { version, metrics, readiness }: MachineRoutes): void {
  const headers = { 'cache-control': cacheControl('never') };
  const json = (body: unknown, status: number) => Response.json(body, { status, headers });
  app.get('/health', () => json({ status: 'ok' }, 200));
  app.get('/version', () => json(version, 200));
  app.get('/ready', async () => {
    const { ready, ...detail } = await readiness();
    return json(detail, ready ? 200 : 503);
  });
  app.get('/metrics', async () => {
    const body = await metrics.render();
    return new Response(body, { headers: { ...headers, 'content-type': metrics.contentType } });
  });
}
