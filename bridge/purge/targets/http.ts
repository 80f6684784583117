/** Why a request came to no answer, in words fit for a status page: no addresses, no credentials. */
export function failureOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  const code = typeof cause?.code === 'string' ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'connection lost';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'host name does not resolve';
  if (error instanceof Error && error.name === 'AbortError') return 'stopped';
  return code ? `connection failed (${code})` : 'connection failed';
}

const ANSWER_MAX = 64 * 1024;

/** The body as text, at most 64 KiB of it: what another service answers must not fill our memory. */
export async function readBounded(response: Response, max = ANSWER_MAX): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > max) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The `message` of an error body in the edge's shape, shortened; else the status alone. */
export function messageOf(status: number, text: string): string {
  const error = parseObject(text)?.error as { message?: unknown } | undefined;
  return typeof error?.message === 'string' ? `${status}: ${error.message.slice(0, 300)}` : `status ${status}`;
}
