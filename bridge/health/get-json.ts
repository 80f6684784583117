import { failureOf, parseObject, readBounded } from '../purge/targets/http.ts';

/** What a dependency says about itself; never throws for what it or the network does. */
export async function getJson(
  url: string,
  fetch: typeof globalThis.fetch,
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
