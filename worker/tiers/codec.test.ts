import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import { decode, encode } from './codec.ts';

const frameOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

test('property: what is encoded is decoded, byte for byte', () => {
  const text = fc.string({ unit: 'binary' });
  const given = fc.record({
    key: text,
    body: fc.uint8Array(),
    headers: fc.array(fc.tuple(text, text)),
    tags: fc.array(text),
    status: fc.integer({ min: 200, max: 599 }),
    initialAge: fc.nat(),
    bodyHash: text,
  });
  fc.assert(
    fc.property(given, (fields) => {
      const entry = storedResponse(fields);
      expect(decode(frameOf(encode(entry)))).toEqual(entry);
    }),
  );
});

test('a body that is a view into a larger buffer is cut out', () => {
  const entry = storedResponse({ body: new TextEncoder().encode('xxhelloxx').subarray(2, 7) });
  const read = decode(frameOf(encode(entry)));
  expect(new TextDecoder().decode(read?.body)).toBe('hello');
});

describe('anything but a whole frame is a miss', () => {
  const frame = encode(storedResponse());
  const metaEnds = 8 + new DataView(frame.buffer).getUint32(4);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = frame.slice();
    copy[at] = value;
    return copy;
  };
  const json = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text);
    const copy = new Uint8Array(8 + bytes.length);
    copy.set(frame.subarray(0, 4));
    new DataView(copy.buffer).setUint32(4, bytes.length);
    copy.set(bytes, 8);
    return copy;
  };
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['less than a head', frame.subarray(0, 7)],
    ['metadata cut short', frame.subarray(0, metaEnds - 1)],
    ['another version', changed(2, 0x32)],
    ['a length beyond the end', changed(4, 0x7f)],
    ['metadata that is not JSON', changed(8, 0x21)],
    ['metadata that is no object', json('null')],
    ['metadata that is a number', json('7')],
    ['a page instead', new TextEncoder().encode('<!doctype html><p>hello')],
  ])('%s', (_, bytes) => {
    expect(decode(frameOf(bytes))).toBeUndefined();
  });
});

test('property: no bytes make it throw', () => {
  const head = [0x50, 0x4c, 0x31, 0x0a, 0, 0, 0];
  const bytes = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        bytes.map((rest) => Uint8Array.from([...head, ...rest])),
      ),
      (frame) => {
        expect(() => decode(frameOf(frame))).not.toThrow();
      },
    ),
  );
});
