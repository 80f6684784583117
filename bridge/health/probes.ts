import type { Sql } from '../store/database.ts';
import { getJson } from './get-json.ts';
import { absent, type Probe } from './prober.ts';

type Fetch = typeof globalThis.fetch;

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
