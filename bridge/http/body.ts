/** The whole body, or null where it is longer than `max` bytes: read no further than that. */
export async function readBody(request: Request, max: number): Promise<Uint8Array | null> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > max) return null;
  // The HTTP parser hands over no more than was declared (RFC 9112 §6.2), and a whole body costs less than a stream of it.
  if (declared !== null && !request.headers.has('transfer-encoding'))
    return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > max) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
