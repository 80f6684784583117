import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { contradictions } from '../../cluster/check/agreement.ts';
import { exampleValues } from '../../cluster/check/example-values.ts';
import { applyExceptions } from '../../cluster/check/exceptions.ts';
import { type Finding, type JsonMap, map, text } from '../../cluster/check/manifest.ts';
import { forOldAlertmanager, provenAlerts } from '../../cluster/check/monitoring.ts';
import { quantity } from '../../cluster/check/policy/budget.ts';
import { scheduleProblem } from '../../cluster/check/policy/cron.ts';
import { parseImage } from '../../cluster/check/policy/images.ts';
import { homeReached } from '../../cluster/check/policy/ranges.ts';
import { pathsOverlap } from '../../cluster/check/policy/routes.ts';
import { isLater } from '../../cluster/check/policy/upgrades.ts';
import { choices, renderEnvironment } from '../../cluster/check/render.ts';
import { schemaPath, translatePattern } from '../../cluster/check/schema.ts';
import { readRequest } from '../../cluster/check/seal.ts';
import { exampleIdentity, exampleRecipient, openSecrets } from '../../cluster/check/sealed.ts';
import { decryptSecret, encryptSecret } from '../../cluster/check/sops.ts';
import { standing } from '../../cluster/check/standing.ts';
import { unzip } from '../../cluster/check/zip.ts';

const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a', namespace: 'web' },
  stringData: { one: 'eins', two: 'zwei\nzeilen' },
};

describe('secrets', () => {
  test('are sealed and opened, and only their values are', async () => {
    const sealed = await encryptSecret(SECRET, [exampleRecipient], '2026-11-21T00:00:00Z');
    expect(text(map(sealed.stringData).one)).toMatch(/^ENC\[AES256_GCM,/);
    expect(sealed.metadata).toEqual(SECRET.metadata);
    expect(await decryptSecret(sealed, exampleIdentity)).toEqual(SECRET);
  });

  test('cannot be changed, swapped or cut without being noticed', async () => {
    const sealed = await encryptSecret(SECRET, [exampleRecipient], '2026-11-21T00:00:00Z');
    const values = map(sealed.stringData);
    const swapped = { ...sealed, stringData: { one: values.two ?? '', two: values.one ?? '' } };
    await expect(decryptSecret(swapped, exampleIdentity)).rejects.toThrow();
    const cut = { ...sealed, stringData: { one: values.one ?? '' } };
    await expect(decryptSecret(cut, exampleIdentity)).rejects.toThrow('the MAC does not match');
    const renamed = { ...sealed, metadata: { name: 'b', namespace: 'web' } };
    await expect(decryptSecret(renamed, exampleIdentity)).rejects.toThrow('the MAC does not match');
  });

  test.each(['dev', 'staging', 'prod'])(
    "%s's Secrets open with the example key, MAC included, and hold nothing but examples",
    async (environment) => {
      const source = readFileSync(
        new URL(`../../cluster/environments/${environment}/secrets/secrets.sops.yaml`, import.meta.url),
        'utf8',
      );
      const documents = parseAllDocuments(source).map((document) => document.toJS() as JsonMap);
      expect(documents.length).toBe(13);
      for (const document of documents) {
        const opened = await decryptSecret(document, exampleIdentity);
        expect(Object.values(map(opened.stringData)).filter((value) => !/example|^0+$/.test(text(value)))).toEqual([]);
      }
    },
  );

  test('what rendering does to a file breaks its MAC and no value', async () => {
    const sealed = await encryptSecret(SECRET, [exampleRecipient], '2026-11-21T00:00:00Z');
    const rendered = { ...sealed, metadata: { ...SECRET.metadata, annotations: { wave: '1' } } };
    await expect(decryptSecret(rendered, exampleIdentity)).rejects.toThrow('the MAC does not match');
    expect((await decryptSecret(rendered, exampleIdentity, false)).stringData).toEqual(SECRET.stringData);
    const { stringData: values } = sealed;
    const swapped = { ...rendered, stringData: { one: map(values).two ?? '', two: map(values).one ?? '' } };
    const placed = { file: 'a.yaml', object: swapped };
    expect((await openSecrets([placed])).findings.map(({ rule, object }) => [rule, object])).toEqual([
      ['secret-opens', 'Secret web/a'],
    ]);
  });

  test('sealing takes real values and a key of your own, or the example values and the example key', () => {
    const never = () => expect.unreachable('the values file is not read');
    const recipient = `age1${'q'.repeat(58)}`;
    const ask = (args: string[], values: JsonMap) =>
      readRequest(['--environment', 'prod', '--values', 'v.yaml', ...args], () => values);
    expect(readRequest(['--environment', 'prod', '--example'], never)).toEqual({
      environment: 'prod',
      recipients: [exampleRecipient],
      values: exampleValues,
    });
    expect(readRequest(['--environment', 'prod', '--example', '--values', 'v.yaml'], never)).toContain('npm run');
    expect(ask(['--recipient', exampleRecipient], exampleValues)).toContain('whose private half is public');
    expect(ask(['--recipient', recipient], exampleValues)).toEqual({
      environment: 'prod',
      recipients: [recipient],
      values: exampleValues,
    });
    expect(ask(['--recipient', recipient], {})).toContain('web/postgres-auth: POSTGRES_PASSWORD is missing');
  });

  test('values that repeat a password must agree', () => {
    const changed = (name: string, key: string, value: string): JsonMap => ({
      ...exampleValues,
      [name]: { ...map(exampleValues[name]), [key]: value },
    });
    const found = (values: JsonMap) => contradictions(values).map(({ name, key }) => `${name} ${key}`);
    expect(found(exampleValues)).toEqual([]);
    expect(found(changed('web/database-roles', 'bridge', 'another'))).toEqual([
      'web/bridge-env DATABASE_URL',
      'web/pgbouncer-auth userlist.txt',
    ]);
    const superuser = 'postgres://postgres:example-password-of-bridge@pgbouncer.web.svc:5432/bridge';
    expect(found(changed('web/bridge-env', 'DATABASE_URL', superuser))).toEqual(['web/bridge-env DATABASE_URL']);
    expect(found(changed('flux-system/bridge-hook', 'token', 'another'))).toEqual(['flux-system/bridge-hook token']);
    expect(found(changed('orchestrator/dagster-postgres', 'postgresql-password', 'another'))).toEqual([
      'orchestrator/dagster-postgres postgresql-password',
    ]);
  });
});

describe('images', () => {
  test.each([
    ['docker.io/library/postgres:18.6', 'docker.io', 'library/postgres', '18.6', ''],
    ['ghcr.io/a/b:1@sha256:x', 'ghcr.io', 'a/b', '1', 'sha256:x'],
    ['localhost:5000/a', 'localhost:5000', 'a', '', ''],
    ['postgres', '', 'postgres', '', ''],
  ])('%s', (image, registry, repository, tag, digest) => {
    expect(parseImage(image)).toEqual({ registry, repository, tag, digest });
  });
});

test('what waits for the operator is a note, one line each', async () => {
  const [dev, prod] = await Promise.all(['dev', 'prod'].map(renderEnvironment));
  const notes = standing(
    [dev, prod].filter((cluster) => cluster !== undefined),
    [],
  );
  expect(notes.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
    'unpinned: ghcr.io/porchlight/blog:1.0.0',
    'unpinned: ghcr.io/porchlight/bridge:1.0.0',
    'example key: prod',
  ]);
  const bare = { environment: 'prod', objects: [] };
  expect(standing([bare], [])).toEqual([expect.stringMatching(/^unsealed: prod waits for web\/postgres-auth, /)]);
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

test.each([
  ['15 3 * * *', true],
  ['*/10 0-6,22 1,15 jan-mar mon-fri', true],
  ['0 3 29 2 *', true],
  ['0 3 31 2 mon', true],
  ['@daily', true],
  ['0 3 31 2,4 *', false],
  ['0 3 0 * *', false],
  ['0 3 * 13 *', false],
  ['5-1 3 * * *', false],
  ['*/0 3 * * *', false],
  ['*/99 3 * * *', false],
  ['0 3 * *', false],
  ['0 3 * * 8', false],
])('the schedule %s comes: %s', (schedule, expected) => {
  expect(scheduleProblem(schedule) === undefined).toBe(expected);
});

test.each<[string, string[], string[]]>([
  ['0.0.0.0/0', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], []],
  ['0.0.0.0/0', ['0.0.0.0/1', '128.0.0.0/1'], []],
  ['128.0.0.0/1', ['172.16.0.0/12'], ['192.168.0.0/16']],
  ['192.168.10.5/32', [], []],
  ['1.1.1.1/32', [], []],
  ['::/0', ['fe80::/10'], ['fc00::/7']],
  ['2000::/3', [], []],
])('egress to %s except %s reaches %s of home', (cidr, except, expected) => {
  expect(homeReached(cidr, except)).toEqual(expected);
});

test.each([
  ['v1.36.4+k3s1', 'v1.36.4+k3s1', false],
  ['v1.36.4+k3s2', 'v1.36.4+k3s1', true],
  ['v1.36.10+k3s1', 'v1.36.9+k3s1', true],
  ['v1.36.9+k3s1', 'v1.37.0+k3s1', false],
  ['v2.0.0+k3s1', 'v1.99.9+k3s9', true],
  ['v1.37.0+k3s1', '', false],
])('K3s %s is later than %s: %s', (one, other, expected) => {
  expect(isLater(one, other)).toBe(expected);
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
