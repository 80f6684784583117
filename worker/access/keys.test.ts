import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { IssuerKeys } from './keys.ts';

let jwk: Record<string, unknown>;
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
});

/** An issuer whose answers are set by hand. */
function keysOf(answer: () => Response | Promise<Response>) {
  const asked = { count: 0 };
  const fetch = async () => {
    asked.count += 1;
    return answer();
  };
  return { keys: new IssuerKeys({ url: 'https://issuer.example/certs', fetch }), asked };
}
const set =
  (...keys: object[]) =>
  () =>
    Response.json({ keys });
const kind = (found: unknown) => (typeof found === 'string' ? found : 'key');
const MINUTE = 60_000;

test('fetched once in ten minutes, and again after', async () => {
  const { keys, asked } = keysOf(set(jwk));
  for (const now of [0, 1000, 9 * MINUTE]) expect(kind(await keys.find('one', now))).toBe('key');
  expect(asked.count).toBe(1);
  await keys.find('one', 11 * MINUTE);
  expect(asked.count).toBe(2);
});

test('an unknown id has them fetched again, twice a minute at most, whoever makes ids up', async () => {
  const { keys, asked } = keysOf(set(jwk));
  await keys.find('one', 0);
  for (let second = 0; second < 120; second += 1) await keys.find(`made-up-${second}`, second * 1000);
  expect(asked.count).toBeLessThanOrEqual(5);
});

test('a new key is found as soon as a token names it', async () => {
  const list = [jwk];
  const { keys } = keysOf(() => Response.json({ keys: list }));
  await keys.find('one', 0);
  list.push({ ...jwk, kid: 'two' });
  expect(kind(await keys.find('two', 31_000))).toBe('key');
});

test('with the issuer away the known keys go on for a day, and no longer', async () => {
  let away = false;
  const { keys } = keysOf(() => {
    if (away) throw new TypeError('no route to host');
    return Response.json({ keys: [jwk] });
  });
  await keys.find('one', 0);
  away = true;
  expect(kind(await keys.find('one', 23 * 60 * MINUTE))).toBe('key');
  expect(kind(await keys.find('one', 25 * 60 * MINUTE))).toBe('keys-unavailable');
  away = false;
  expect(kind(await keys.find('one', 26 * 60 * MINUTE))).toBe('key');
});

test.each<[string, () => Response]>([
  ['an error', () => new Response('', { status: 500 })],
  ['a redirect', () => new Response('', { status: 302, headers: { location: 'https://evil.example/' } })],
  ['a page', () => new Response('<html>')],
  ['no list', () => Response.json({ keys: 'none' })],
  ['an endless text', () => new Response(`{"keys":[]}${' '.repeat(200_000)}`)],
  [
    'keys of other kinds',
    () => Response.json({ keys: [null, { kty: 'EC', kid: 'one' }, { ...jwk, alg: 'RS512' }, { ...jwk, use: 'enc' }] }),
  ],
])('%s is no key set', async (_name, answer) => {
  const { keys, asked } = keysOf(answer);
  for (let n = 0; n < 10; n += 1) expect(kind(await keys.find('one', n))).toBe('keys-unavailable');
  expect(asked.count).toBeLessThanOrEqual(4);
});

test('without an id only a single key is meant', async () => {
  const one = keysOf(set(jwk)).keys;
  expect(kind(await one.find(undefined, 0))).toBe('key');
  const two = keysOf(set(jwk, { ...jwk, kid: 'two' })).keys;
  expect(kind(await two.find(undefined, 0))).toBe('unknown-key');
});
