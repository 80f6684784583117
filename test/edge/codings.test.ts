import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../support/http.ts';
import { ask, home } from './support.ts';

const PLAIN = Buffer.from('<p>a page that shrinks</p>\n'.repeat(40));
const CODED: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(PLAIN),
  br: brotliCompressSync(PLAIN),
  GZIP: gzipSync(PLAIN),
  'x-gzip': gzipSync(PLAIN),
  deflate: deflateSync(PLAIN),
};

/** How a reader undoes what the label says. */
const UNDO: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

/** The page as a reader sees it who goes by the label alone. */
function read({ body, headers }: Pick<Answer, 'body' | 'headers'>): string {
  const undo = UNDO[headers['content-encoding']?.toLowerCase() ?? ''];
  return (undo === undefined ? body : undo(body)).toString();
}

describe.each(['keyed', 'all'] as const)('codings, with %s forwarding', (forward) => {
  const at = home({ forward });

  test.each(Object.keys(CODED))('%s: label and bytes agree, stored or not', async (coding) => {
    const coded = { 'Content-Encoding': coding };
    at.origin.publish(`/${coding}`, CODED[coding] ?? '', coded);
    at.origin.publish(`/own/${coding}`, CODED[coding] ?? '', { ...coded, 'Cache-Control': 'no-store' });
    const headers = { 'Accept-Encoding': 'gzip, deflate' };
    for (const path of [`/${coding}`, `/${coding}`, `/own/${coding}`]) {
      const answer = await ask(at.edge, path, { headers });
      expect([answer.status, read(answer)]).toEqual([200, PLAIN.toString()]);
    }
    expect(at.origin.count(`/${coding}`)).toBe(1);
  });
});

describe('a reader who asked for no coding', () => {
  const at = home({ forward: 'keyed' });

  test.each(Object.keys(CODED))('gets %s undone', async (coding) => {
    const path = `/plain/${coding}`;
    at.origin.publish(path, CODED[coding] ?? '', { 'Content-Encoding': coding });
    for (const _ of [1, 2]) {
      const answer = await ask(at.edge, path);
      expect([answer.headers['content-encoding'], answer.text]).toEqual([undefined, PLAIN.toString()]);
    }
    const part = await ask(at.edge, path, { headers: { Range: 'bytes=3-8' } });
    expect([part.status, part.text]).toEqual([206, PLAIN.subarray(3, 9).toString()]);
  });
});
