import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ByteRange,
  ifRangeHolds,
  multipart,
  parseContentRange,
  parseRange,
  type RangeSpec,
  satisfiable,
  withinPart,
} from './range.ts';

describe('the range set (RFC 9110 §14.1.2, §14.2)', () => {
  test.each<[string, RangeSpec[]]>([
    ['bytes=0-4', [{ first: 0, last: 4 }]],
    ['bytes=5-', [{ first: 5 }]],
    ['bytes=-5', [{ suffix: 5 }]],
    ['BYTES=0-0', [{ first: 0, last: 0 }]],
    [' bytes=0-4 ', [{ first: 0, last: 4 }]],
    ['bytes=0-0, 2-2 ,\t-1', [{ first: 0, last: 0 }, { first: 2, last: 2 }, { suffix: 1 }]],
    ['bytes=-0', [{ suffix: 0 }]],
  ])('%s', (value, specs) => {
    expect(parseRange(value)).toEqual(specs);
  });

  test.each([
    [null],
    [''],
    ['bytes'],
    ['bytes='],
    ['bytes=-'],
    ['bytes=a-b'],
    ['bytes=4-0'],
    ['bytes=0-4,4-0'],
    ['bytes=0-4,,5-6'],
    ['bytes=+0-4'],
    ['bytes=0-4;5-6'],
    ['bytes 0-4'],
    ['items=0-4'],
    ['bytes=0-1000000000000000'],
    [`bytes=${Array.from({ length: 9 }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`],
    [`bytes=${'0-,'.repeat(2000)}0-`],
  ])('malformed, of another unit or abusive, and ignored: %.40s', (value) => {
    expect(parseRange(value)).toBeUndefined();
  });
});

describe('satisfiable ranges of ten bytes', () => {
  test.each<[string, [number, number][]]>([
    ['0-4', [[0, 4]]],
    ['5-', [[5, 9]]],
    ['0-99', [[0, 9]]],
    ['-3', [[7, 9]]],
    ['-99', [[0, 9]]],
    ['10-', []],
    ['-0', []],
    ['10-12,0-0', [[0, 0]]],
    [
      '0-0,5-6',
      [
        [0, 0],
        [5, 6],
      ],
    ],
    [
      '5-6,0-0',
      [
        [5, 6],
        [0, 0],
      ],
    ],
    ['0-4,3-6', [[0, 6]]],
    ['0-4,5-6', [[0, 6]]],
    ['3-6,0-4', [[0, 6]]],
    [
      '0-1,8-9,1-4',
      [
        [0, 4],
        [8, 9],
      ],
    ],
    ['0-1,8-9,2-7', [[0, 9]]],
    ['7-,6-,5-,4-,3-,2-,1-,0-', [[0, 9]]],
  ])('%s', (set, ranges) => {
    const specs = parseRange(`bytes=${set}`) ?? [];
    expect(satisfiable(specs, 10)).toEqual(ranges.map(([first, last]) => ({ first, last })));
  });

  test('nothing of an empty representation', () => {
    expect(satisfiable([{ first: 0 }, { suffix: 5 }, { first: 0, last: 4 }], 0)).toEqual([]);
  });
});

describe('properties of satisfiable ranges', () => {
  const at = fc.integer({ min: 0, max: 40 });
  const spec: fc.Arbitrary<RangeSpec> = fc.oneof(
    fc.record({ suffix: at }),
    fc.record({ first: at }),
    fc.tuple(at, at).map(([first, more]) => ({ first, last: first + more })),
  );
  const specs = fc.array(spec, { maxLength: 8 });
  const size = fc.integer({ min: 0, max: 30 });
  const bytesOf = (ranges: readonly ByteRange[]): number[] =>
    ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

  test('within bounds, apart from one another, and never more bytes than there are', () => {
    fc.assert(
      fc.property(specs, size, (wanted, total) => {
        const ranges = satisfiable(wanted, total);
        for (const { first, last } of ranges) expect(0 <= first && first <= last && last < total).toBe(true);
        const sorted = [...ranges].sort((a, b) => a.first - b.first);
        sorted.slice(1).forEach((range, i) => {
          expect(range.first).toBeGreaterThan((sorted[i]?.last ?? 0) + 1);
        });
      }),
    );
  });

  test('exactly the bytes that were asked for', () => {
    fc.assert(
      fc.property(specs, size, (wanted, total) => {
        const each = new Set(wanted.flatMap((one) => bytesOf(satisfiable([one], total))));
        expect(new Set(bytesOf(satisfiable(wanted, total)))).toEqual(each);
      }),
    );
  });

  test('no string makes the parser throw', () => {
    const text = fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, \tx'), maxLength: 40 });
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((set) => `bytes=${set}`),
        ),
        (value) => {
          for (const one of parseRange(value) ?? []) expect(Object.values(one).every(Number.isSafeInteger)).toBe(true);
        },
      ),
    );
  });
});

describe('Content-Range (RFC 9110 §14.4)', () => {
  test.each([
    ['bytes 0-4/10', { first: 0, last: 4, complete: 10 }],
    ['Bytes 5-9/10', { first: 5, last: 9, complete: 10 }],
    ['bytes 0-4/*', { first: 0, last: 4 }],
    ['bytes 4-0/10', undefined],
    ['bytes 0-10/10', undefined],
    ['bytes */10', undefined],
    ['bytes=0-4/10', undefined],
    ['items 0-4/10', undefined],
    ['bytes 0-4', undefined],
    ['', undefined],
  ])('%s', (value, part) => {
    expect(parseContentRange([['content-range', value]])).toEqual(part);
  });
});

describe('what a stored part answers (RFC 9111 §3.3)', () => {
  const middle = { first: 100, last: 199, complete: 1000 };
  const end = { first: 900, last: 999, complete: 1000 };
  const unknown = { first: 900, last: 999 };
  test.each<[string, RangeSpec, typeof middle | typeof unknown, [number, number] | undefined]>([
    ['all of it', { first: 100, last: 199 }, middle, [0, 99]],
    ['some of it', { first: 150, last: 151 }, middle, [50, 51]],
    ['a byte before', { first: 99, last: 150 }, middle, undefined],
    ['a byte after', { first: 150, last: 200 }, middle, undefined],
    ['an open end it does not reach', { first: 150 }, middle, undefined],
    ['an open end it reaches', { first: 950 }, end, [50, 99]],
    ['a suffix it holds', { suffix: 10 }, end, [90, 99]],
    ['all of a suffix it holds', { suffix: 100 }, end, [0, 99]],
    ['a suffix it does not hold', { suffix: 101 }, end, undefined],
    ['an empty suffix', { suffix: 0 }, end, undefined],
    ['a suffix in the middle', { suffix: 10 }, middle, undefined],
    ['a suffix of unknown length', { suffix: 10 }, unknown, undefined],
    ['an open end of unknown length', { first: 950 }, unknown, undefined],
    ['a closed range of unknown length', { first: 950, last: 960 }, unknown, [50, 60]],
  ])('%s', (_, spec, part, expected) => {
    const range = expected && { first: expected[0], last: expected[1] };
    expect(withinPart(spec, part, part.last - part.first + 1)).toEqual(range);
  });
});

describe('If-Range (RFC 9110 §13.1.5): only a strong match', () => {
  test.each<[string | null, boolean]>([
    [null, true],
    ['"1"', true],
    [' "1" ', true],
    ['"2"', false],
    ['W/"1"', false],
    ['Fri, 20 Nov 2026 12:00:00 GMT', true],
    ['Fri, 20 Nov 2026 12:00:01 GMT', false],
    ['', false],
  ])('%s', (value, holds) => {
    expect(ifRangeHolds(value, '"1"', 'Fri, 20 Nov 2026 12:00:00 GMT')).toBe(holds);
  });

  test.each([['W/"1"'], ['"1"']])('a stored weak tag matches nothing: %s', (value) => {
    expect(ifRangeHolds(value, 'W/"1"', undefined)).toBe(false);
  });
});

describe('multipart/byteranges (RFC 9110 §14.6)', () => {
  const body = new TextEncoder().encode('0123456789');
  const ranges = [
    { first: 0, last: 1 },
    { first: 8, last: 9 },
  ];

  test('every part says what it is', () => {
    expect(new TextDecoder().decode(multipart(body, ranges, 'text/plain', 'B'))).toBe(
      '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01' +
        '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n',
    );
  });

  test('without a type none is made up', () => {
    expect(new TextDecoder().decode(multipart(body, ranges, undefined, 'B'))).not.toContain('Content-Type');
  });
});
