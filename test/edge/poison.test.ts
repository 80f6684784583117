import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../support/http.ts';
import { CLOAKED, EVIL, POISON } from './attacks.ts';
import { ask, home } from './support.ts';

const at = home({ colos: 2 });

/** An origin as bad as they get: shows everything it was sent, in body, headers and redirects, and calls it public. */
function reflect(req: IncomingMessage, res: ServerResponse): void {
  const sent = req.rawHeaders.map((text) => text.replace(/[^\x20-\x7e]/g, '?'));
  const said = JSON.stringify({ url: req.url, sent });
  const headers = {
    'Content-Type': 'text/html',
    'Cache-Control': 'public, max-age=600',
    'X-Reflected': sent.join('|').slice(0, 7_000),
    Location: `http://localhost/?from=${encodeURIComponent(said).slice(0, 4_000)}`,
    Vary: 'X-Forwarded-Host',
    ETag: '"the-page"',
  };
  const range = /^bytes=(\d+)-(\d+)$/.exec(req.headers.range ?? '');
  if (req.url?.startsWith('/redirect')) res.writeHead(301, headers).end(said);
  else if (range) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    const part = said.padEnd(last + 1).slice(first, last + 1);
    res.writeHead(206, { ...headers, 'Content-Range': `bytes ${first}-${last}/9999`, 'Content-Length': part.length });
    res.end(part);
  } else res.writeHead(200, headers).end(said);
}

beforeAll(() => at.origin.handle('*', reflect));

function traces(answer: Answer): string[] {
  const text = `${JSON.stringify(answer.rawHeaders)}\n${answer.text}`.toLowerCase();
  return text.includes(EVIL) || text.includes('999999999') ? [text.slice(0, 2_000)] : [];
}

/** What clean readers in both data centres are shown after the attacker. */
async function clean(path: string, headers: Record<string, string> = {}): Promise<string[]> {
  const found: string[] = [];
  for (const colo of [0, 1]) {
    const answer = await ask(at.edge, path, { headers }, colo);
    found.push(...(answer.status >= 400 ? [`status ${answer.status}`] : traces(answer)));
  }
  return found;
}

describe('a header that is not part of the key', () => {
  test(`is tried in ${POISON.length} ways`, () => expect(POISON.length).toBeGreaterThanOrEqual(60));

  test.each(POISON.map(([name, value], i) => ({ name, value, path: `/page/${i}` })))(
    'leaves no trace: $name ($path)',
    async ({ name, value, path }) => {
      for (const where of [path, `/redirect${path}`]) {
        const attack = await ask(at.edge, where, { headers: { [name]: value } });
        expect(attack.status).toBeLessThan(600);
        expect(await clean(where)).toEqual([]);
      }
      // The same as a part: an attacker who asks for a range of a page nobody has yet.
      const part = `/part${path}`;
      await ask(at.edge, part, {
        headers: [['Range', 'bytes=0-999'], ...(name === 'Range' ? [] : [[name, value] as [string, string]])],
      });
      expect(await clean(part, { Range: 'bytes=0-999' })).toEqual([]);
      expect(await clean(part)).toEqual([]);
    },
  );

  test.each(['localhost:1337', `${EVIL}`, `${EVIL}:80`, `127.0.0.1:${EVIL}`, `user@${EVIL}`, 'LOCALHOST.'])(
    'leaves no trace: Host %s',
    async (host) => {
      const path = `/host/${encodeURIComponent(host)}`.toLowerCase().replaceAll(EVIL, 'x');
      await ask(at.edge, path, { headers: { Host: host } }).catch(() => undefined);
      expect(await clean(path)).toEqual([]);
    },
  );

  test('sent twice, or under another spelling, leaves none either', async () => {
    const attack: [string, string][] = [
      ['X-Forwarded-Host', 'localhost'],
      ['x-forwarded-host', EVIL],
      ['X_Forwarded_Host', EVIL],
      ['X-Forwarded-host', EVIL],
    ];
    await ask(at.edge, '/twice', { headers: attack });
    expect(await clean('/twice')).toEqual([]);
  });

  test('a body on GET leaves none', async () => {
    await ask(at.edge, '/fat', { body: `q=${EVIL}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    expect(await clean('/fat')).toEqual([]);
  });
});

describe('a query that only pretends to be left out', () => {
  test.each(CLOAKED.map((query, i) => ({ query, path: `/cloaked/${i}` })))('$query', async ({ query, path }) => {
    await ask(at.edge, path + query);
    expect(await clean(path)).toEqual([]);
  });
});

test('what a reader forces upon the cache costs home nothing', async () => {
  await ask(at.edge, '/calm');
  const before = at.origin.count('/calm');
  for (const value of ['no-cache', 'no-store', 'max-age=0', 'min-fresh=9999']) {
    const answer = await ask(at.edge, '/calm', { headers: { 'Cache-Control': value, Pragma: 'no-cache' } });
    expect(answer.headers['cache-status']).toContain('hit');
  }
  expect(at.origin.count('/calm')).toBe(before);
});
