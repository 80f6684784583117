import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { applyExceptions } from '../../cluster/check/exceptions.ts';
import { type Finding, type JsonMap, map, text } from '../../cluster/check/manifest.ts';
import { forOldAlertmanager, provenAlerts } from '../../cluster/check/monitoring.ts';
import { lookUp, withDigests } from '../../cluster/check/pin.ts';
import { quantity } from '../../cluster/check/policy/budget.ts';
import { parseImage } from '../../cluster/check/policy/images.ts';
import { pathsOverlap } from '../../cluster/check/policy/routes.ts';
import { choices } from '../../cluster/check/render.ts';
import { schemaPath, translatePattern } from '../../cluster/check/schema.ts';
import { missingValues } from '../../cluster/check/seal.ts';
import { decryptSecret, encryptSecret } from '../../cluster/check/sops.ts';
import { unzip } from '../../cluster/check/zip.ts';

const EXAMPLE_KEY =
  readFileSync(new URL('../../cluster/gitops/sops/example.agekey', import.meta.url), 'utf8').match(
    /AGE-SECRET-KEY-1\w+/,
  )?.[0] ?? '';
const EXAMPLE_RECIPIENT =
  readFileSync(new URL('../../cluster/gitops/sops/example.agekey', import.meta.url), 'utf8').match(/age1\w+/)?.[0] ??
  '';
const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a', namespace: 'web' },
  stringData: { one: 'eins', two: 'zwei\nzeilen' },
};

describe('secrets', () => {
  test('are sealed and opened, and only their values are', async () => {
    const sealed = await encryptSecret(SECRET, [EXAMPLE_RECIPIENT], '2026-11-21T00:00:00Z');
    expect(text(map(sealed.stringData).one)).toMatch(/^ENC\[AES256_GCM,/);
    expect(sealed.metadata).toEqual(SECRET.metadata);
    expect(await decryptSecret(sealed, EXAMPLE_KEY)).toEqual(SECRET);
  });

  test('cannot be changed, swapped or cut without being noticed', async () => {
    const sealed = await encryptSecret(SECRET, [EXAMPLE_RECIPIENT], '2026-11-21T00:00:00Z');
    const values = map(sealed.stringData);
    const swapped = { ...sealed, stringData: { one: values.two ?? '', two: values.one ?? '' } };
    await expect(decryptSecret(swapped, EXAMPLE_KEY)).rejects.toThrow();
    const cut = { ...sealed, stringData: { one: values.one ?? '' } };
    await expect(decryptSecret(cut, EXAMPLE_KEY)).rejects.toThrow('the MAC does not match');
    const renamed = { ...sealed, metadata: { name: 'b', namespace: 'web' } };
    await expect(decryptSecret(renamed, EXAMPLE_KEY)).rejects.toThrow('the MAC does not match');
  });

  test("dev's Secrets open with the example key and hold nothing but examples", async () => {
    const source = readFileSync(
      new URL('../../cluster/environments/dev/secrets/secrets.sops.yaml', import.meta.url),
      'utf8',
    );
    const documents = parseAllDocuments(source).map((document) => document.toJS() as JsonMap);
    expect(documents.length).toBe(13);
    for (const document of documents) {
      const opened = await decryptSecret(document, EXAMPLE_KEY);
      expect(Object.values(map(opened.stringData)).every((value) => /example/.test(text(value)))).toBe(true);
    }
  });

  test('a values file says what it lacks', () => {
    expect(missingValues({ 'web/postgres-auth': { POSTGRES_PASSWORD: 'x' } })).toContain('web/blog-env: BRIDGE_TOKEN');
    expect(missingValues({ 'web/postgres-auth': { POSTGRES_PASSWORD: 'x' } })).not.toContain(
      'web/postgres-auth: POSTGRES_PASSWORD',
    );
  });
});

describe('images', () => {
  test.each([
    ['docker.io/library/postgres:18.4', 'docker.io', 'library/postgres', '18.4', ''],
    ['ghcr.io/a/b:1@sha256:x', 'ghcr.io', 'a/b', '1', 'sha256:x'],
    ['localhost:5000/a', 'localhost:5000', 'a', '', ''],
    ['postgres', '', 'postgres', '', ''],
  ])('%s', (image, registry, repository, tag, digest) => {
    expect(parseImage(image)).toEqual({ registry, repository, tag, digest });
  });

  test('a digest is asked of the registry, with the token that it wants', async () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/token')) return void response.end('{"token":"anonymous"}');
      const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (request.headers.authorization !== 'Bearer anonymous') {
        return void response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${at}/token",service="s",scope="repository:a/b:pull"` })
          .end();
      }
      if (request.url !== '/v2/a/b/manifests/1.0') return void response.writeHead(404).end();
      response.writeHead(200, { 'docker-content-digest': digest }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await lookUp(parseImage(`${registry}/a/b:1.0`), fetch, 'http')).toBe(digest);
    await expect(lookUp(parseImage(`${registry}/a/b:2.0`), fetch, 'http')).rejects.toThrow('404, no digest');
    server.close();
    expect(withDigests({ images: [] }, new Map([['docker.io/a/b:1.0', digest]]))).toEqual({
      images: [{ name: 'docker.io/a/b', newTag: '1.0', digest }],
    });
  });
});

test.each([
  ['100m', 0.1],
  ['2', 2],
  ['1Gi', 1024 ** 3],
  ['1.5Gi', 1.5 * 1024 ** 3],
  ['64M', 64e6],
  ['64Mb', Number.NaN],
  [undefined, 0],
])('the quantity %s', (value, expected) => {
  expect(quantity(value)).toEqual(expected);
});

test.each([
  ['/', '/v1', true],
  ['/v1', '/v2', false],
  ['/v1', '/v1/purge', true],
  ['/health$', '/', true],
  ['/health$', '/health$', true],
  ['/health$', '/healthz$', false],
  ['/openapi.json$', '/v1', false],
])('the paths %s and %s', (one, other, expected) => {
  expect([pathsOverlap(one, other), pathsOverlap(other, one)]).toEqual([expected, expected]);
});

test('every choice of one option, or none, from each list', () => {
  expect(choices([['a', 'b'], ['c']])).toEqual([[], ['c'], ['a'], ['a', 'c'], ['b'], ['b', 'c']]);
});

test('schemas are found by group, kind and version; inline flags are spelt out', () => {
  expect(schemaPath('v1', 'Service')).toBe('core/service_v1.json');
  expect(schemaPath('traefik.io/v1alpha1', 'IngressRoute')).toBe('traefik.io/ingressroute_v1alpha1.json');
  expect(new RegExp(translatePattern('(?i)^\\d+ms$')).test('10MS')).toBe(true);
});

test('an exception holds for its rule and object, and goes stale', () => {
  const finding: Finding = { rule: 'drop-all', file: 'f', object: 'Pod a/b', field: 'x', message: 'm' };
  const exception = { rule: 'drop-all', object: 'Pod a/b', why: 'a reason that is long enough' };
  expect(applyExceptions([finding], [exception])).toEqual([]);
  expect(applyExceptions([], [exception]).map(({ rule }) => rule)).toEqual(['stale-exception']);
});

test('an alert is proven by both of its tests', () => {
  const expectation = (name: string, exp_samples: JsonMap[]) => ({
    promql_expr_test: [{ expr: `count(ALERTS{alertname="${name}",alertstate="firing"})`, exp_samples }],
  });
  const proven = provenAlerts({
    tests: [expectation('A', [{ value: 1 }]), expectation('A', []), expectation('B', [{ value: 1 }])],
  });
  expect([[...proven.fires], [...proven.quiet]]).toEqual([['A', 'B'], ['A']]);
});

test('what an old Alertmanager cannot read is taken out, and nothing else', () => {
  const config = {
    receivers: [
      {
        name: 'a',
        webhook_configs: [
          { url: 'http://x', payload: { title: 't' } },
          { url_file: '/f', send_resolved: false },
        ],
      },
    ],
  };
  expect(forOldAlertmanager(config)).toEqual({
    receivers: [
      { name: 'a', webhook_configs: [{ url: 'http://x' }, { url: 'http://127.0.0.1:9/', send_resolved: false }] },
    ],
  });
});

test('a file comes out of a zip archive whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'porchlight-zip-'));
  const body = 'porchlight '.repeat(5000);
  writeFileSync(join(folder, 'a.txt'), body);
  // Python ships with Debian; no zip program is needed.
  execFileSync(
    'python3',
    ['-c', "import zipfile; z = zipfile.ZipFile('x.zip', 'w', zipfile.ZIP_DEFLATED); z.write('a.txt')"],
    { cwd: folder },
  );
  const archive = readFileSync(join(folder, 'x.zip'));
  expect(unzip(archive, 'a.txt').toString()).toBe(body);
  expect(() => unzip(archive, 'b.txt')).toThrow('the archive has no b.txt');
  rmSync(folder, { recursive: true });
});
