import { expect, test } from 'vitest';
import { bodyOf } from './answer.ts';

const PIECE_BYTES = 65_536;

test('a small body is handed over as it is', () => {
  const bytes = new Uint8Array(16 * PIECE_BYTES);
  expect(bodyOf(bytes)).toBe(bytes);
});

test.each([16 * PIECE_BYTES + 1, 20 * PIECE_BYTES, 3_000_001])(
  'a body of %d bytes goes out in pieces, copied only when a reader wants them',
  async (length) => {
    const whole = Uint8Array.from({ length: length + 10 }, (_, n) => (n * 31 + (n >> 8)) % 251);
    const bytes = whole.subarray(5, 5 + length);
    const pieces: Uint8Array[] = [];
    for await (const piece of bodyOf(bytes) as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
      expect(piece.buffer.byteLength).toBeLessThanOrEqual(PIECE_BYTES);
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(Buffer.from(bytes))).toBe(true);
  },
);
