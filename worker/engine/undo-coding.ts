import { isDecoded } from '../policy/stored.ts';

/** Codings by the names the runtime passes over (RFC 9110 §8.4.1: no case, and `x-gzip` is gzip). */
const FORMATS: Readonly<Record<string, 'gzip' | 'deflate'>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate' };

/**
 * The answer as one the runtime has decoded, where it carries a coding that no reader asked for and that can be undone.
 * The name `gzip` stays, as with those: the runtime codes such a body again where it is handed to a reader unstored.
 */
export function undoCoding(response: Response): Response {
  const format = FORMATS[response.headers.get('content-encoding')?.trim().toLowerCase() ?? ''];
  if (format === undefined || response.body === null || isDecoded([...response.headers])) return response;
  const headers = new Headers(response.headers);
  headers.set('content-encoding', 'gzip');
  headers.delete('content-length');
  const { status, statusText } = response;
  return new Response(response.body.pipeThrough(new DecompressionStream(format)), { status, statusText, headers });
}
