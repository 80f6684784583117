import type { StoredMeta, StoredResponse } from '../policy/stored.ts';

/**
 * A stored response as bytes: `PL1\n`, the length of the metadata (uint32, big-endian), the metadata as JSON, the body.
 * One frame holds both halves, so that no crash leaves a body without its metadata.
 */
const MAGIC = 0x504c310a;
const HEAD_BYTES = 8;

export function encode({ body, ...meta }: StoredResponse): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(meta));
  const frame = new Uint8Array(HEAD_BYTES + json.length + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, json.length);
  frame.set(json, HEAD_BYTES);
  frame.set(body, HEAD_BYTES + json.length);
  return frame;
}

/** undefined for anything that is not a whole frame of this version: to the cache it is a miss. */
export function decode(frame: ArrayBuffer): StoredResponse | undefined {
  if (frame.byteLength < HEAD_BYTES) return undefined;
  const view = new DataView(frame);
  const metaBytes = view.getUint32(4);
  if (view.getUint32(0) !== MAGIC || HEAD_BYTES + metaBytes > frame.byteLength) return undefined;
  try {
    const meta = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, HEAD_BYTES, metaBytes))) as StoredMeta;
    // JSON of anything but an object would pass as metadata without a single field.
    if (typeof meta !== 'object' || meta === null) return undefined;
    return { ...meta, body: new Uint8Array(frame, HEAD_BYTES + metaBytes) };
  } catch {
    return undefined;
  }
}
