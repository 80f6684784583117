import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readBody } from './body.ts';

const sent = (...pieces: string[]) => Readable.from(pieces.map((piece) => Buffer.from(piece)));

test('a body in pieces is read as one', async () => {
  expect(await readBody(sent('ab', 'cd'), undefined, 4)).toEqual(Buffer.from('abcd'));
  expect(await readBody(sent(), '0', 4)).toEqual(Buffer.alloc(0));
});

test.each([
  ['by what it declares', sent('a'), '5'],
  ['by what it is', sent('ab', 'cde'), '1'],
  ['by what it is, undeclared', sent('ab', 'cde'), undefined],
])('too large %s', async (_how, incoming, declared) => {
  expect(await readBody(incoming, declared, 4)).toBe('too-large');
});

test('of a body that is too large no more is read', async () => {
  let given = 0;
  const endless = new Readable({ highWaterMark: 1, read: () => void endless.push(Buffer.from(`${++given % 10}`)) });
  expect(await readBody(endless, undefined, 100)).toBe('too-large');
  const before = given;
  await new Promise((resolve) => setImmediate(resolve));
  expect(given - before).toBeLessThan(10);
  endless.destroy();
});

test.each([
  ['before', (incoming: Readable) => incoming.destroy()],
  ['within', (incoming: Readable) => setImmediate(() => incoming.destroy())],
  ['within, with an error', (incoming: Readable) => setImmediate(() => incoming.destroy(new Error('aborted')))],
])('a caller that leaves %s it', async (_when, leave) => {
  const incoming = new Readable({ read: () => {} });
  incoming.push(Buffer.from('a'));
  leave(incoming);
  expect(await readBody(incoming, undefined, 4)).toBe('caller-left');
});
