import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';

/**
 * An idle connection is closed after so many milliseconds, as Node's `fetch` does: the pod at its other end may be gone without a word, and a
 * request on it would be silent until its deadline.
 */
const IDLE_MS = 4000;
const kept = { keepAlive: true, timeout: IDLE_MS };

const BY_SCHEME = {
  'http:': { request: http.request, agent: new http.Agent(kept) },
  'https:': { request: https.request, agent: new https.Agent(kept) },
};

/** Statuses of answers that have no body (the Fetch standard's null body statuses). */
const BODILESS = new Set([204, 205, 304]);

/**
 * As much of `fetch` as the `ollama` client uses, over `node:http`: Node's own takes twice as long from the request to the first byte of
 * the answer. Follows no redirect, asks for no encoding, and has no deadlines but `signal`, which closes the connection.
 * @throws TypeError as `fetch` does, with the cause
 */
export const exchange: typeof globalThis.fetch = (input, { method = 'GET', headers, body, signal } = {}) =>
  new Promise((resolve, reject) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const scheme = BY_SCHEME[url.protocol as keyof typeof BY_SCHEME];
    if (scheme === undefined) throw new TypeError(`fetch failed: ${url.protocol} is neither http: nor https:`);
    if (body != null && typeof body !== 'string') throw new TypeError('fetch failed: the body is no text');
    const failed = (cause: unknown) => reject(new TypeError('fetch failed', { cause }));
    const length = body == null ? {} : { 'content-length': Buffer.byteLength(body) };
    const sending = {
      method,
      agent: scheme.agent,
      headers: { ...Object.fromEntries(new Headers(headers)), ...length },
      ...(signal ? { signal } : {}),
    };
    const sent = scheme.request(url, sending, (answer) => {
      try {
        resolve(responseOf(answer));
      } catch (error) {
        answer.destroy();
        failed(error);
      }
    });
    sent.on('error', failed);
    sent.end(body ?? undefined);
  });

/** @throws RangeError for a status that there is not */
function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode ?? 0;
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
  if (!BODILESS.has(status)) return new Response(streamOf(answer), { status, headers });
  answer.resume();
  return new Response(null, { status, headers });
}

/** The answer's body as it comes, and no faster than it is read. */
function streamOf(answer: IncomingMessage): ReadableStream<Uint8Array> {
  // An end that was under way is still told after it; closing twice throws, and here nobody would catch it.
  let isCancelled = false;
  return new ReadableStream({
    start(controller) {
      answer.on('data', (chunk: Buffer) => {
        controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
        if ((controller.desiredSize ?? 0) <= 0) answer.pause();
      });
      answer.once('end', () => isCancelled || controller.close());
      answer.on('error', (cause) => controller.error(new TypeError('terminated', { cause })));
    },
    pull() {
      answer.resume();
    },
    cancel() {
      isCancelled = true;
      answer.destroy();
    },
  });
}
