import { describe, expect, test } from 'vitest';
import type { HealthHistory } from '../../worker/policy/uptime.ts';
import { poll } from '../support/program.ts';
import { ask, home } from './support.ts';

/** A ledger that looks at home every second; and one that never does, so that readers alone tell. */
const watched = home({ colos: 2, env: { PORCHLIGHT_VARS: JSON.stringify({ PROBE_SECONDS: '1' }) } });
const unwatched = home({ colos: 2, env: { PORCHLIGHT_VARS: JSON.stringify({ PROBE_SECONDS: '0' }) } });

type At = typeof watched;

async function history(at: At, colo = 0): Promise<HealthHistory> {
  const { text } = await ask(at.edge, '/.porchlight/health', {}, colo);
  return (JSON.parse(text) as { history: HealthHistory }).history;
}

const statusPage = (at: At) => ask(at.edge, '/', { headers: { Host: 'status.localhost' } });

describe('readers’ own requests', () => {
  test('are told to the ledger, and read in every data centre', async () => {
    expect(await history(unwatched)).toEqual({});
    const unseen = (await statusPage(unwatched)).text;
    expect(unseen).toContain('no data yet');
    expect(unseen).toContain('aria-label="no data"></i>blog: <small>not asked lately</small>');
    unwatched.origin.publish('/a', 'a');
    expect((await ask(unwatched.edge, '/a')).text).toBe('a');
    for (const colo of [0, 1]) {
      const known = async () => (await history(unwatched, colo)).blog?.hours.length === 1;
      expect(await poll(known, 20_000, 200)).toBe(true);
      const { hours, days, last } = (await history(unwatched, colo)).blog ?? {};
      expect(hours).toMatchObject([{ up: 1, down: 0 }]);
      expect(days).toMatchObject([{ up: 1, down: 0 }]);
      expect(last).toMatchObject({ up: 1, down: 0, said: '200', ms: expect.any(Number) });
    }
    const seen = (await statusPage(unwatched)).text;
    expect(seen).toContain('up 100 % of 1 minute observed');
    expect(seen).toContain('aria-label="good"></i>blog: <small>up</small>');
  });

  test('say so when home is away', async () => {
    await unwatched.origin.kill();
    for (let i = 0; i < 6; i += 1) expect((await ask(unwatched.edge, `/away/${i}`)).status).toBe(503);
    const away = async () => (await history(unwatched)).blog?.last?.said === 'unreachable';
    expect(await poll(away, 20_000, 200)).toBe(true);
    await unwatched.origin.restart();
  });
});

describe('where no reader comes, the ledger looks itself', () => {
  test('home up, home away, home back', async () => {
    const said = (word: string) => async () => (await history(watched)).blog?.last?.said === word;
    // Its first call wakes it; nobody asks for a page.
    expect((await ask(watched.edge, '/.porchlight/health')).status).toBe(200);
    expect(await poll(said('404'), 30_000, 200)).toBe(true);
    const probes = watched.origin.seen.filter(({ path }) => path === '/health');
    expect(new Set(probes.map(({ method }) => method))).toEqual(new Set(['HEAD']));
    await watched.origin.kill();
    expect(await poll(said('unreachable'), 30_000, 200)).toBe(true);
    await watched.origin.restart();
    watched.origin.publish('/health', 'well');
    expect(await poll(said('200'), 30_000, 200)).toBe(true);
  });
});

test('the status page is drawn without a script, gaps as gaps', async () => {
  const page = await statusPage(unwatched);
  expect([page.status, page.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(page.headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'");
  expect(page.text).not.toContain('<script');
  expect(page.text.match(/no data<\/title>/g)?.length).toBeGreaterThan(100);
  expect(page.text).toContain('aria-label="Last 48 hours: ');
});
