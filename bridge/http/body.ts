import type { Readable } from 'node:stream';

/**
 * The whole body: read no further than `max` bytes, whatever `Content-Length` says. From Node's own stream, as the detour over a web
 * stream takes longer than all else of a small request. Slow callers are cut off by the server, and have left then.
 * @param declared `Content-Length`, where it was sent
 */
export async function readBody(
  incoming: Readable,
  declared: string | undefined,
  max: number,
): Promise<Uint8Array | 'too-large' | 'caller-left'> {
  if (Number(declared ?? 0) > max) return 'too-large';
  if (incoming.destroyed) return 'caller-left';
  const chunks: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<Uint8Array | 'too-large' | 'caller-left'>();
  let size = 0;
  const take = (chunk: Uint8Array) => {
    size += chunk.byteLength;
    chunks.push(chunk);
    if (size <= max) return;
    incoming.pause();
    resolve('too-large');
  };
  const ended = () => resolve(Buffer.concat(chunks));
  const left = () => resolve('caller-left');
  incoming.on('data', take).once('end', ended).once('error', left).once('close', left);
  const body = await promise;
  incoming.off('data', take).off('end', ended).off('error', left).off('close', left);
  return body;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

export function parseJson(body: Uint8Array): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch (error) {
    const what = error instanceof TypeError ? 'not UTF-8' : (error as Error).message.slice(0, 120);
    return { ok: false, message: `the body is not JSON: ${what}` };
  }
}
