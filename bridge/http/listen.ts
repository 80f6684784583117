import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import type { App } from './route.ts';

export interface Listening {
  readonly port: number;
  /** Takes nothing new, lets what is under way end, and breaks off what has not after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/**
 * Slow senders are cut off: headers within 10 s, the whole request within 30 s. Idle connections are kept for longer than whoever is in front
 * keeps them (Traefik and cloudflared: 90 s), or a request would be sent on one that is being closed.
 */
const limits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 95_000, maxHeaderSize: 32 * 1024 };

export function listen(app: App, hostname: string, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port, serverOptions: limits }, (address) => {
      server.off('error', reject);
      resolve({ port: address.port, close: (graceMs) => close(server, graceMs) });
    }) as Server;
    server.once('error', reject);
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    // A kept-alive connection that answers its last request now becomes idle only afterwards.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(late);
      clearInterval(idle);
      resolve();
    });
  });
}
