import type { ServerType } from '@hono/node-server';

const CLOSE_DEADLINE_MS = 10_000;

/** Longer than whoever is in front keeps an idle connection (Traefik and cloudflared: 90 s), or a request would be sent on one that is being closed. */
const KEEP_ALIVE_MS = 95_000;

/** Rejects with one plain sentence if the port cannot be had. */
export function listenOn(server: ServerType, port: number, host: string): Promise<void> {
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (error: NodeJS.ErrnoException) => {
    const why =
      error.code === 'EADDRINUSE'
        ? 'is already in use; stop the other program or choose another --port'
        : error.message;
    reject(new Error(`port ${port} on ${host}: ${why}`, { cause: error }));
  };
  server.once('error', failed);
  server.listen(port, host, () => {
    server.removeListener('error', failed);
    resolve();
  });
  return promise;
}

/** Finishes the answers under way, at most until the deadline, and closes. */
export async function closeServer(server: ServerType): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const timer = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, CLOSE_DEADLINE_MS);
  await promise;
  clearTimeout(timer);
}
