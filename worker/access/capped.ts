/**
 * A request's body, at most one byte more than the limit: enough for the bridge to see that it is too long, too little to matter, and
 * an end that is no failure of the origin. A declared length was looked at before, and HTTP holds the body to it.
 */
export function capped(
  { headers, body }: Request,
  maxBytes: number,
): { readonly body: ReadableStream | null; readonly exceeded: () => boolean } {
  if (body === null || headers.has('content-length')) return { body, exceeded: () => false };
  let left = maxBytes + 1;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const part = chunk.subarray(0, left);
      left -= part.byteLength;
      if (part.byteLength > 0) controller.enqueue(part);
      if (left === 0) controller.terminate();
    },
  });
  return { body: body.pipeThrough(limit), exceeded: () => left === 0 };
}
