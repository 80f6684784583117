import { AppsV1Api, KubeConfig, Watch } from '@kubernetes/client-node';
import type { Deployment } from '../policy/rollout.ts';
import { PURGE_LABEL } from '../policy/rollout-purge.ts';
import { deploymentOf } from './deployment.ts';

/** How a watch ended. */
export type WatchEnd =
  /** The server or the network ended it, or nothing was heard in time: go on from where it was. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** 410 Gone: the position is too old, only a new list helps. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface WatchSink {
  deployment(deployment: Deployment): void;
  /** Any sign of life, bookmarks included, with the position to go on from. */
  position(resourceVersion: string): void;
}

export interface Cluster {
  list(): Promise<{ deployments: Deployment[]; resourceVersion: string }>;
  watch(resourceVersion: string, sink: WatchSink, signal: AbortSignal): Promise<WatchEnd>;
}

const LIST_DEADLINE_MS = 15_000;
const LIST_PAGE = 200;
const WATCH_SECONDS = 300;

/** Reads the labelled Deployments of one namespace, or of all. Needs get, list and watch on deployments.apps, nothing else. */
export function connectCluster(options: { kubeconfig: string | null; namespace: string | null }): Cluster {
  const config = new KubeConfig();
  if (options.kubeconfig === null) config.loadFromCluster();
  else config.loadFromFile(options.kubeconfig);
  const api = config.makeApiClient(AppsV1Api);
  const { namespace } = options;
  const path = namespace === null ? '/apis/apps/v1/deployments' : `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const labelSelector = `${PURGE_LABEL}=true`;

  const page = (_continue: string | undefined) => {
    const query = { labelSelector, limit: LIST_PAGE, ...(_continue ? { _continue } : {}) };
    return namespace === null
      ? api.listDeploymentForAllNamespaces(query)
      : api.listNamespacedDeployment({ namespace, ...query });
  };

  return {
    list: async () => {
      const deployments: Deployment[] = [];
      let next: string | undefined;
      for (;;) {
        const answer = await withDeadline(page(next), LIST_DEADLINE_MS);
        deployments.push(...answer.items.map(deploymentOf));
        next = answer.metadata?._continue;
        if (!next) return { deployments, resourceVersion: answer.metadata?.resourceVersion ?? '' };
      }
    },
    watch: (resourceVersion, sink, signal) =>
      watchOnce(
        new Watch(config),
        path,
        { labelSelector, resourceVersion, allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS },
        sink,
        signal,
      ),
  };
}

interface ErrorStatus {
  readonly code?: number;
  readonly message?: string;
  readonly reason?: string;
}

/** The client's own watch ends where nothing was heard for 30 s, which finds connections that died without a word. */
function watchOnce(
  watch: Watch,
  path: string,
  query: Record<string, string | number | boolean>,
  sink: WatchSink,
  signal: AbortSignal,
): Promise<WatchEnd> {
  return new Promise((resolve) => {
    let end: WatchEnd | null = null;
    let abort = () => {};
    const finish = (reason: WatchEnd) => {
      end ??= reason;
      signal.removeEventListener('abort', stop);
      abort();
      resolve(end);
    };
    const stop = () => finish({ kind: 'closed', reason: 'stopping' });
    signal.addEventListener('abort', stop);
    const onEvent = (type: string, object: unknown) => {
      if (end !== null) return;
      if (type === 'ERROR') return finish(errorEnd(object as ErrorStatus));
      const { metadata } = object as { metadata?: { resourceVersion?: string } };
      if (type === 'ADDED' || type === 'MODIFIED') sink.deployment(deploymentOf(object));
      if (metadata?.resourceVersion) sink.position(metadata.resourceVersion);
    };
    const onDone = (error: unknown) => finish(doneEnd(error));
    watch.watch(path, query, onEvent, onDone).then(
      (controller) => {
        abort = () => controller.abort();
        if (end !== null) abort();
      },
      (error: unknown) => finish(doneEnd(error)),
    );
  });
}

function errorEnd(status: ErrorStatus): WatchEnd {
  if (status.code === 410) return { kind: 'expired' };
  return { kind: 'failed', reason: `${status.code ?? ''} ${status.reason ?? status.message ?? 'error event'}`.trim() };
}

function doneEnd(error: unknown): WatchEnd {
  const status = (error as { statusCode?: number } | null)?.statusCode;
  if (status === 410) return { kind: 'expired' };
  if (status !== undefined) return { kind: 'failed', reason: `status ${status}` };
  if (!(error instanceof Error)) return { kind: 'closed', reason: 'ended by the server' };
  if (error.name === 'TimeoutError') return { kind: 'closed', reason: 'nothing heard' };
  const code = (error.cause as { code?: string } | undefined)?.code;
  if (code === 'ECONNREFUSED') return { kind: 'failed', reason: 'connection refused' };
  // What undici says of a body that broke off; anything else (a certificate, a configuration) will not mend by going on.
  const brokeOff = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || error.message === 'terminated';
  return brokeOff
    ? { kind: 'closed', reason: 'connection lost' }
    : { kind: 'failed', reason: code ?? error.message.slice(0, 120) };
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
