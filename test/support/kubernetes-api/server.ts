import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ObjectStore, type StoredEvent, type StoredObject } from './store.ts';

const TOKEN = 'kubernetes-example-token';

/** What goes wrong at the API server. */
export interface ApiFaults {
  /** Answers lists with this status. */
  listStatus: number | null;
  /** Answers watches with this status. */
  watchStatus: number | null;
  /** Watches stay open but say nothing: neither events nor bookmarks nor their end. */
  silent: boolean;
}

export interface KubernetesApi {
  readonly store: ObjectStore;
  readonly faults: ApiFaults;
  readonly counts: { lists: number; watches: number };
  readonly url: string;
  /** A kubeconfig that reaches it; without TLS, which the client accepts only where it need not verify. */
  readonly kubeconfig: string;
  /** Breaks every open watch without a word of farewell. */
  dropWatches(): void;
  /** Sends a bookmark on every open watch. */
  bookmark(): void;
  /** Goes away, and comes back on the same port with the same objects. */
  restart(downMs: number): Promise<void>;
  close(): Promise<void>;
}

const KIND = { kind: 'Deployment', apiVersion: 'apps/v1' };

/** kube-apiserver for Deployments, in its own wire format: list with pages and selector, watch with bookmarks, 401, 403, 404, 410. */
export async function startKubernetesApi(): Promise<KubernetesApi> {
  const store = new ObjectStore();
  const faults: ApiFaults = { listStatus: null, watchStatus: null, silent: false };
  const counts = { lists: 0, watches: 0 };
  const watches = new Set<Watching>();
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://api');
    const path = /^\/apis\/apps\/v1\/(?:namespaces\/([^/]+)\/)?deployments$/.exec(url.pathname);
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return failure(response, 401, 'Unauthorized', 'Unauthorized');
    if (!path) return failure(response, 404, 'NotFound', `the server could not find the requested resource`);
    const select = selector(url.searchParams.get('labelSelector'), path[1] ?? null);
    if (url.searchParams.get('watch') === 'true') {
      counts.watches++;
      return faults.watchStatus
        ? failure(response, faults.watchStatus, 'InternalError', 'injected')
        : watch(store, faults, watches, url.searchParams, select, response);
    }
    counts.lists++;
    if (faults.listStatus)
      return failure(response, faults.listStatus, reasons[faults.listStatus] ?? 'InternalError', 'injected');
    return list(store, url.searchParams, select, response);
  };
  let server = await listen(handle, 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const shut = () => {
    for (const watching of watches) watching.response.destroy();
    watches.clear();
    return stop(server);
  };
  return {
    store,
    faults,
    counts,
    url,
    kubeconfig: kubeconfig(url),
    dropWatches: () => {
      for (const watching of watches) watching.response.destroy();
    },
    bookmark: () => {
      for (const watching of watches) watching.bookmark();
    },
    restart: async (downMs) => {
      await shut();
      await new Promise((resolve) => setTimeout(resolve, downMs));
      server = await listen(handle, port);
    },
    close: shut,
  };
}

interface Watching {
  readonly response: ServerResponse;
  bookmark(): void;
}
type Select = (object: StoredObject) => boolean;

function selector(labelSelector: string | null, namespace: string | null): Select {
  const wanted = (labelSelector ?? '').split(',').filter((term) => term !== '');
  return ({ metadata }) =>
    (namespace === null || metadata.namespace === namespace) &&
    wanted.every((term) => {
      const [label = '', value] = term.split('=');
      return metadata.labels?.[label] === value;
    });
}

function list(store: ObjectStore, query: URLSearchParams, select: Select, response: ServerResponse): void {
  const all = store.list().filter(select);
  const limit = Number(query.get('limit') ?? 0) || all.length;
  const from = Number(query.get('continue') ?? 0);
  const items = all.slice(from, from + limit);
  const more =
    from + limit < all.length ? { continue: String(from + limit), remainingItemCount: all.length - from - limit } : {};
  json(response, 200, {
    kind: 'DeploymentList',
    apiVersion: 'apps/v1',
    metadata: { resourceVersion: String(store.version), ...more },
    // Items of a list carry neither kind nor apiVersion.
    items,
  });
}

function watch(
  store: ObjectStore,
  faults: ApiFaults,
  watches: Set<Watching>,
  query: URLSearchParams,
  select: Select,
  response: ServerResponse,
): void {
  const position = Number(query.get('resourceVersion') ?? 0);
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const write = (type: string, object: unknown) => {
    if (!faults.silent) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  const send = ({ type, object }: StoredEvent) => {
    if (select(object)) write(type, { ...KIND, ...object });
  };
  const missed = store.since(position);
  if (missed === null) {
    const message = `too old resource version: ${position} (${store.compactedTo})`;
    write('ERROR', {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'Expired',
      code: 410,
    });
    return void response.end();
  }
  for (const event of missed) send(event);
  const forget = store.listen(send);
  const watching: Watching = {
    response,
    bookmark: () => {
      if (query.get('allowWatchBookmarks') !== 'true') return;
      const empty = {
        spec: { replicas: 0, selector: null, template: { metadata: {}, spec: { containers: null } }, strategy: {} },
        status: {},
      };
      write('BOOKMARK', { ...KIND, metadata: { resourceVersion: String(store.version) }, ...empty });
    },
  };
  watches.add(watching);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const end = seconds > 0 ? setTimeout(() => !faults.silent && response.end(), seconds * 1000) : null;
  response.once('close', () => {
    forget();
    watches.delete(watching);
    if (end) clearTimeout(end);
  });
}

const reasons: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

function failure(response: ServerResponse, code: number, reason: string, message: string): void {
  json(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.end(`${JSON.stringify(body)}\n`);
}

function listen(handle: (request: IncomingMessage, response: ServerResponse) => void, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handle);
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

const kubeconfig = (url: string) => `apiVersion: v1
kind: Config
clusters: [{ name: test, cluster: { server: "${url}", insecure-skip-tls-verify: true } }]
users: [{ name: test, user: { token: ${TOKEN} } }]
contexts: [{ name: test, context: { cluster: test, user: test } }]
current-context: test
`;
