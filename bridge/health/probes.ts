import { failureOf, parseObject, readBounded } from '../purge/targets/http.ts';
import type { Sql } from '../store/database.ts';
import type { Probe, ProbeResult } from './prober.ts';

type Fetch = typeof globalThis.fetch;

const absent = (detail: string): ProbeResult => ({ state: 'absent', detail });

export function storeProbe(sql: Sql, kind: 'embedded' | 'postgres'): Probe {
  return {
    name: 'store',
    check: async () => {
      await sql.query('SELECT 1').catch(() => {
        // A driver's message may name host and user.
        throw new Error('the store does not answer a query');
      });
      return { state: 'up', detail: kind === 'embedded' ? 'embedded (PGlite)' : 'PostgreSQL' };
    },
  };
}

export function edgeProbe(url: string | null, fetch: Fetch): Probe {
  return {
    name: 'edge',
    check: async (signal) => {
      if (url === null) return absent('set EDGE_URL and EDGE_TOKEN; purges are kept until then');
      const answer = await getJson(`${url}/.porchlight/health`, fetch, signal);
      return 'failure' in answer
        ? { state: 'down', detail: answer.failure }
        : { state: 'up', detail: 'answers', facts: answer.body };
    },
  };
}

/** By what costs nothing: the version, and which models lie in which memory. Never by generating. */
export function ollamaProbe(host: string | null, fetch: Fetch): Probe {
  return {
    name: 'ollama',
    check: async (signal) => {
      if (host === null) return absent('set OLLAMA_HOST');
      const version = await getJson(`${host}/api/version`, fetch, signal);
      if ('failure' in version) return { state: 'down', detail: version.failure };
      const running = await getJson(`${host}/api/ps`, fetch, signal);
      const models = 'body' in running && Array.isArray(running.body.models) ? running.body.models.map(modelFacts) : [];
      const where = models[0]?.device ?? 'no model loaded';
      const facts = { version: version.body.version, models };
      return { state: 'up', detail: `version ${String(version.body.version).slice(0, 40)}, ${where}`, facts };
    },
  };
}

/** `size_vram` says how much of the model lies in the GPU's memory: nothing of it means that the CPU computes. */
function modelFacts(model: { name?: unknown; size?: number; size_vram?: number }) {
  const { size = 0, size_vram: vram = 0 } = model;
  const device = vram <= 0 ? 'cpu' : vram >= size ? 'gpu' : `gpu for ${Math.round((vram / size) * 100)} %`;
  return { name: String(model.name).slice(0, 100), device };
}

export function kubernetesProbe(
  watch: { lastSignAt: number | null; lastError: string | null } | null,
  now: () => number,
): Probe {
  return {
    name: 'kubernetes',
    check: () => {
      if (watch === null) return absent('no cluster: set KUBECONFIG or run inside one; rollouts are not watched');
      const { lastSignAt, lastError } = watch;
      if (lastSignAt === null)
        return { state: lastError ? 'down' : 'unknown', detail: lastError ?? 'not heard of yet' };
      const seconds = Math.round((now() - lastSignAt) / 1000);
      const heard = { lastGoodAt: new Date(lastSignAt), facts: { staleSeconds: seconds } };
      if (lastError !== null) return { state: 'down', detail: lastError, ...heard };
      return seconds > STALE_SECONDS
        ? { state: 'down', detail: `nothing heard for ${seconds} s`, ...heard }
        : { state: 'up', detail: `heard of ${seconds} s ago`, ...heard };
    },
  };
}
/** Lists come every three minutes even where the watch is dead. */
const STALE_SECONDS = 420;

export function fluxProbe(
  enabled: boolean,
  last: () => { at: number; reason: string; severity: string } | null,
): Probe {
  return {
    name: 'flux',
    check: () => {
      if (!enabled)
        return absent('set FLUX_HMAC_KEY to take its notifications; rollouts are found without them, only later');
      const event = last();
      if (event === null) return { state: 'unknown', detail: 'no notification since start' };
      const seen = { lastGoodAt: new Date(event.at), facts: { reason: event.reason, severity: event.severity } };
      return {
        state: event.severity === 'error' ? 'down' : 'up',
        detail: `last notification: ${event.reason}`,
        ...seen,
      };
    },
  };
}

export function cloudflareProbe(enabled: boolean, last: () => { at: number; error: string | null } | null): Probe {
  return {
    name: 'cloudflare',
    check: () => {
      if (!enabled) return absent('set CLOUDFLARE_ZONE_ID and CLOUDFLARE_API_TOKEN to empty every data centre at once');
      const attempt = last();
      if (attempt === null) return { state: 'unknown', detail: 'no purge since start' };
      if (attempt.error !== null) return { state: 'down', detail: attempt.error };
      return { state: 'up', detail: 'last purge accepted', lastGoodAt: new Date(attempt.at) };
    },
  };
}

async function getJson(
  url: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<{ body: Record<string, unknown> } | { failure: string }> {
  try {
    const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
    const body = parseObject(await readBounded(response));
    if (!response.ok) return { failure: `status ${response.status}` };
    return body ? { body } : { failure: 'the answer is not JSON' };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
