import { describe, expect, test } from 'vitest';
import { type EdgeConfig, readConfig } from './config.ts';

type Env = Parameters<typeof readConfig>[0];
const TOKEN = 'example-token-0123456789';

function config(env: Env): EdgeConfig {
  const read = readConfig({ BLOG_ORIGIN: 'http://127.0.0.1:3000', ...env });
  if ('error' in read) throw new Error(read.error);
  return read.config;
}

function errors(env: Env): string[] {
  const read = readConfig({ BLOG_ORIGIN: 'http://127.0.0.1:3000', ...env });
  return 'error' in read ? read.error.split('\n').slice(1) : [];
}

test('defaults', () => {
  expect(config({})).toMatchObject({
    forward: 'keyed',
    stage: 'own',
    colo: '',
    tokens: [],
    access: undefined,
    zonePurge: false,
    memoryBytes: 40 * 1024 * 1024,
    staleWaitMs: 1500,
    firstByteMs: 10_000,
    probeMs: 300_000,
    secure: true,
  });
});

describe('each variable', () => {
  test.each<[string, Env, Partial<EdgeConfig>]>([
    ['FORWARD', { FORWARD: 'all' }, { forward: 'all' }],
    ['STAGE', { STAGE: 'workers-cache' }, { stage: 'workers-cache' }],
    ['COLO', { COLO: 'colo-2' }, { colo: 'colo-2' }],
    ['SCHEME', { SCHEME: 'http' }, { secure: false }],
    ['ZONE_PURGE', { ZONE_PURGE: 'true' }, { zonePurge: true }],
    ['MEMORY_MB', { MEMORY_MB: '8' }, { memoryBytes: 8 * 1024 * 1024 }],
    ['MEMORY_MB as a number, as TOML writes it', { MEMORY_MB: 8 }, { memoryBytes: 8 * 1024 * 1024 }],
    ['ZONE_PURGE as a boolean', { ZONE_PURGE: true }, { zonePurge: true }],
    ['STALE_WAIT_MS', { STALE_WAIT_MS: '100' }, { staleWaitMs: 100 }],
    ['FIRST_BYTE_MS', { FIRST_BYTE_MS: '5000' }, { firstByteMs: 5000 }],
    ['PROBE_SECONDS', { PROBE_SECONDS: '0' }, { probeMs: 0 }],
    [
      'empty ones are unset',
      { MEMORY_MB: '', FORWARD: '', ACCESS_CLIENT_ID: '', ACCESS_CLIENT_SECRET: '' },
      { access: undefined },
    ],
    ['Access', { ACCESS_CLIENT_ID: 'a', ACCESS_CLIENT_SECRET: 'b' }, { access: { id: 'a', secret: 'b' } }],
  ])('%s', (_, env, expected) => {
    expect(config(env)).toMatchObject(expected);
  });

  test('Access guards every upstream or none', () => {
    const both = { ACCESS_CLIENT_ID: 'a', ACCESS_CLIENT_SECRET: 'b', BRIDGE_ORIGIN: 'http://127.0.0.1:8788' };
    expect(Object.values(config(both).site.upstreams).map(({ access }) => access)).toEqual([true, true]);
    expect(config({ ACCESS_CLIENT_ID: '', ACCESS_CLIENT_SECRET: '' }).site.upstreams.blog?.access).toBe(false);
  });

  test('EDGE_TOKEN takes several for rotation, named or not', () => {
    expect(config({ EDGE_TOKEN: ` bridge:${TOKEN} , ${TOKEN}2,` }).tokens).toEqual([
      { name: 'bridge', token: TOKEN },
      { name: 'token2', token: `${TOKEN}2` },
    ]);
  });
});

describe('a bad variable is named, with what it may be', () => {
  test.each<[string, Env, RegExp]>([
    ['FORWARD', { FORWARD: 'none' }, /FORWARD: "none" must be one of keyed, all/],
    ['STAGE', { STAGE: 'cdn' }, /STAGE: "cdn" must be one of own, workers-cache/],
    ['SCHEME', { SCHEME: 'ftp' }, /SCHEME: "ftp" must be one of https, http/],
    ['ANY_HOST', { ANY_HOST: 'yes' }, /ANY_HOST: "yes" must be one of false, true/],
    ['ZONE_PURGE', { ZONE_PURGE: '1' }, /ZONE_PURGE: "1" must be one of false, true/],
    ['MEMORY_MB, none', { MEMORY_MB: '0' }, /MEMORY_MB: "0" must be a whole number from 1 to 100/],
    ['MEMORY_MB, words', { MEMORY_MB: 'much' }, /MEMORY_MB: "much" must be/],
    ['MEMORY_MB, a fraction', { MEMORY_MB: '1.5' }, /MEMORY_MB: "1.5" must be/],
    ['STALE_WAIT_MS', { STALE_WAIT_MS: '-1' }, /STALE_WAIT_MS: "-1" must be a whole number from 10/],
    ['FIRST_BYTE_MS', { FIRST_BYTE_MS: '1e9' }, /FIRST_BYTE_MS: "1e9" must be/],
    ['BLOG_ORIGIN, missing', { BLOG_ORIGIN: undefined }, /BLOG_ORIGIN: is missing/],
    ['BLOG_ORIGIN, empty', { BLOG_ORIGIN: '' }, /BLOG_ORIGIN: is missing/],
    ['BLOG_ORIGIN, a path', { BLOG_ORIGIN: 'http://x/y' }, /upstreams\.blog\.url: "http:\/\/x\/y" must be/],
    ['BRIDGE_ORIGIN', { BRIDGE_ORIGIN: 'bridge' }, /upstreams\.bridge\.url: "bridge" must be/],
    ['half of Access', { ACCESS_CLIENT_ID: 'a' }, /ACCESS_CLIENT_ID: and ACCESS_CLIENT_SECRET go together/],
    ['the other half', { ACCESS_CLIENT_ID: '', ACCESS_CLIENT_SECRET: 'b' }, /go together/],
    ['a short token', { EDGE_TOKEN: 'bridge:short' }, /EDGE_TOKEN: token 1 \("bridge"\) is shorter than 16/],
    ['a structure', { FORWARD: { mode: 'all' } }, /FORWARD: must be text/],
  ])('%s', (_, env, message) => {
    expect(errors(env)).toEqual([expect.stringMatching(message)]);
  });

  test('a bad DOMAIN shows in every host made of it', () => {
    expect(errors({ DOMAIN: 'Example.com' }).join()).toContain('host "status.Example.com" is not');
  });

  test('no message repeats a secret', () => {
    expect(errors({ EDGE_TOKEN: 'bridge:hunter2', ACCESS_CLIENT_SECRET: 'hunter3' }).join()).not.toMatch(/hunter/);
  });
});

test('every bad variable is reported at once', () => {
  const bad = { FORWARD: 'x', STAGE: 'x', SCHEME: 'x', ANY_HOST: 'x', ZONE_PURGE: 'x', MEMORY_MB: 'x' };
  const more = { STALE_WAIT_MS: 'x', FIRST_BYTE_MS: 'x', EDGE_TOKEN: 'x,y', ACCESS_CLIENT_ID: 'x', BLOG_ORIGIN: 'x' };
  const found = errors({ ...bad, ...more });
  expect(found).toHaveLength(12);
  for (const name of Object.keys({ ...bad, ...more }).filter((key) => key !== 'BLOG_ORIGIN'))
    expect(found.join('\n')).toContain(`- ${name}: `);
});
