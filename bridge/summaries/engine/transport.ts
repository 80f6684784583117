import { EngineFailure, failureOf } from './failure.ts';

const MAX_REFUSAL_BYTES = 16_384;

async function refusalText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  return text;
}

/** One line of the stream, unless it is blank. @throws EngineFailure for an error line, or if it is no JSON object. */
function checkLine(line: string): void {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new EngineFailure('not-ollama', 'a line of the stream is no JSON');
  }
  if (value === null || typeof value !== 'object') throw new EngineFailure('not-ollama', 'a line is no JSON object');
  if ('error' in value) throw failureOf(500, line);
}

/**
 * Lets whole, sound lines through and ends the stream with a named failure at the first that is not: the client would
 * print lines it cannot read, and would keep a line without an end in memory.
 */
function soundLines(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let bytes = 0;
  let rest = '';
  let flaw: unknown;
  /** The sound lines of what came next; null at the end. @throws what is wrong with the line after them, once they were given */
  const next = async (): Promise<string | null> => {
    if (flaw !== undefined) throw flaw;
    const { done, value } = await reader.read();
    if (done && rest.trim() !== '') throw new EngineFailure('incomplete', 'the stream ended within a line');
    if (done) return null;
    bytes += value.byteLength;
    if (bytes > maxBytes) throw new EngineFailure('not-ollama', `the stream is longer than ${maxBytes} bytes`);
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    let sound = '';
    for (const line of lines.filter((one) => one.trim() !== '')) {
      try {
        checkLine(line);
      } catch (error) {
        flaw = error;
        break;
      }
      sound += `${line}\n`;
    }
    return sound;
  };
  return new ReadableStream({
    async pull(controller) {
      let lines: string | null = '';
      while (lines === '') lines = await next();
      if (lines === null) controller.close();
      else controller.enqueue(encoder.encode(lines));
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function bounded(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new EngineFailure('not-ollama', `the answer is longer than ${maxBytes} bytes`);
      controller.enqueue(chunk);
    },
  });
}

export interface Transport {
  readonly fetch: typeof globalThis.fetch;
  /** Ends the exchange, before the headers as well as after. The client's own `abort()` does not. */
  readonly signal: AbortSignal;
  /** Of the whole answer. */
  readonly maxBytes: number;
}

/**
 * The `fetch` of one request, for the `ollama` client: carries `signal`, follows no redirect, and throws an
 * `EngineFailure` for what no Ollama answers, so that the client sees sound answers only.
 */
export function transport({ fetch, signal, maxBytes }: Transport): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, signal, redirect: 'manual' });
    if (!response.ok) throw failureOf(response.status, await refusalText(response));
    const type = response.headers.get('content-type') ?? '';
    const stream = type.startsWith('application/x-ndjson');
    if (response.body === null || !(stream || type.startsWith('application/json'))) {
      await response.body?.cancel();
      throw new EngineFailure('not-ollama', `a 200 with content type ${JSON.stringify(type.slice(0, 60))}`);
    }
    const body = stream ? soundLines(response.body, maxBytes) : response.body.pipeThrough(bounded(maxBytes));
    return new Response(body, { status: response.status, headers: response.headers });
  };
}
