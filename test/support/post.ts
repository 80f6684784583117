import { type Agent, request } from 'node:http';

/** Answer of one POST: its status, its text, and the milliseconds until the last byte was read. */
export interface Posted {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/**
 * Sends `body` over the connections of `agent`: plain `node:http`, as `fetch` alone costs a millisecond or so of what is measured.
 * @throws where the exchange breaks off, or takes longer than ten minutes.
 */
export function post(agent: Agent, url: string, body: string, headers: Record<string, string> = {}): Promise<Posted> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const signal = AbortSignal.timeout(600_000);
    const sent = request(url, { method: 'POST', agent, headers: { ...headers, ...length }, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - from });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
