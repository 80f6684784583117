import { expect, test } from 'vitest';
import { poll } from '../support/program.ts';
import { ask, home, pageBody, purge } from './support.ts';

/** A purge is acknowledged while home is still at work on the page it overtakes. */
const at = home({ colos: 2 });
const READERS = 20;

const HEADERS = { 'Cache-Tag': 'overtaken' };

async function readers(path: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: READERS }, () => ask(at.edge, path)));
  return answers.map(({ text }) => text);
}

/** One reader's request has reached home, which is at work on the first version; the second is published. */
async function underWay(path: string, fault: Parameters<typeof at.origin.fault>[1]) {
  at.origin.publish(path, pageBody(path, 1, 20_000), HEADERS);
  at.origin.fault(path, fault, 1);
  const first = ask(at.edge, path);
  expect(await poll(() => at.origin.count(path) === 1, 10_000, 5)).toBe(true);
  at.origin.publish(path, pageBody(path, 2, 20_000), HEADERS);
  return { first };
}

const PURGES: [name: string, request: (path: string) => Record<string, unknown>][] = [
  ['invalidated by URL', (path) => ({ urls: [path] })],
  ['invalidated by tag', () => ({ tags: ['overtaken'] })],
  ['taken down by URL', (path) => ({ urls: [path], mode: 'delete' })],
  ['taken down by tag', () => ({ tags: ['overtaken'], mode: 'delete' })],
];

test.each(PURGES)(
  '%s while home thinks: who comes after the acknowledgement waits for the new page',
  async (name, request) => {
    const path = `/slow/${name.replaceAll(' ', '-')}`;
    const { first } = await underWay(path, { kind: 'delay', ms: 2_500 });
    await purge(at.edge, request(path));
    expect(new Set(await readers(path))).toEqual(new Set([pageBody(path, 2, 20_000)]));
    expect((await first).status).toBe(200);
    // All of them from one request, and it is kept: the older one comes in too late to take its place.
    expect(at.origin.count(path)).toBe(2);
    expect(new Set(await readers(path))).toEqual(new Set([pageBody(path, 2, 20_000)]));
    expect(at.origin.count(path)).toBe(2);
  },
);

test.each(PURGES)(
  '%s in mid-body: who comes after the acknowledgement is not given the rest of it',
  async (name, request) => {
    const path = `/drip/${name.replaceAll(' ', '-')}`;
    const drip = { kind: 'drip', chunkBytes: 1_000, everyMs: 150 } as const;
    const { first } = await underWay(path, drip);
    await purge(at.edge, request(path));
    expect(new Set(await readers(path))).toEqual(new Set([pageBody(path, 2, 20_000)]));
    expect((await first).text).toBe(pageBody(path, 1, 20_000));
    expect(at.origin.count(path)).toBe(2);
    expect(new Set(await readers(path))).toEqual(new Set([pageBody(path, 2, 20_000)]));
    expect(at.origin.count(path)).toBe(2);
    // The older body has ended by now: neither it nor its take-down has harmed what was stored meanwhile.
    const archived = await ask(at.edge, path, {}, 1);
    expect(archived.text).toBe(pageBody(path, 2, 20_000));
    expect(at.origin.count(path)).toBe(2);
  },
);
