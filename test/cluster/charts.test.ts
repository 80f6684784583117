import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chartFindings, releases, unknownKeys } from '../../cluster/check/charts.ts';
import type { Cluster, JsonMap } from '../../cluster/check/manifest.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';

const TEMPLATE = `apiVersion: v1
kind: Pod
metadata: { name: {{ .Release.Name }} }
spec:
  containers:
    - name: main
      image: example
      {{- with .Values.resources }}
      resources: {{ toYaml . | nindent 8 }}
      {{- end }}
`;

describe('charts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'porchlight-charts-'));
  beforeAll(() => {
    for (const [name, files] of Object.entries({
      app: {
        'Chart.yaml':
          'apiVersion: v2\nname: app\nversion: 1.2.3\ndependencies:\n  - { name: part, version: 1.0.0 }\n  - { name: absent, version: 1.0.0, condition: absent.enabled }\n',
        'values.yaml': 'resources: {}\nreplicas: 1\npart: { size: 2 }\nabsent: { enabled: false }\n',
        'templates/pod.yaml': TEMPLATE,
      },
      part: { 'Chart.yaml': 'apiVersion: v2\nname: part\nversion: 1.0.0\n', 'values.yaml': 'size: 1\ncolour: red\n' },
    })) {
      mkdirSync(join(folder, name, 'templates'), { recursive: true });
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const withValues = (values: JsonMap): Cluster => ({
    environment: 'prod',
    objects: [
      {
        file: 'ns.yaml',
        object: {
          kind: 'Namespace',
          metadata: { name: 'web', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
        },
      },
      {
        file: 'release.yaml',
        object: {
          kind: 'HelmRelease',
          metadata: { name: 'app', namespace: 'web' },
          spec: { chart: { spec: { chart: 'app', version: '1.2.3' } }, values },
        },
      },
    ],
  });
  const found = async (values: JsonMap) =>
    (await chartFindings([withValues(values)], folder, undefined))
      .flatMap(({ findings }) => findings)
      .map(({ rule, object, field }) => `${rule}: ${object}: ${field}`);

  test('without a folder it says what it leaves out', async () => {
    expect(await chartFindings([withValues({})], undefined, undefined)).toEqual([
      { findings: [], summary: 'charts: SKIPPED, app are not rendered without --charts DIR' },
    ]);
  });

  test('a value that the chart, or its part, does not have is named', async () => {
    const wrong = await found({ replica: 2, part: { colour: 'blue', color: 'blue' }, resources: { any: 1 } });
    expect(wrong.filter((line) => line.startsWith('chart-values'))).toEqual([
      'chart-values: HelmRelease web/app: spec.values.replica',
      'chart-values: HelmRelease web/app: spec.values.part.color',
    ]);
  });

  test("a chart's pods are held to Pod Security in a restricted namespace", async () => {
    expect(await found({})).toEqual(
      expect.arrayContaining([
        'run-as-non-root: Pod web/app: spec.containers[0].securityContext.runAsNonRoot',
        'memory-limit: Pod web/app: spec.containers[0].resources.limits.memory',
      ]),
    );
  });

  test('a chart that does not render says why', async () => {
    writeFileSync(join(folder, 'app/templates/fail.yaml'), '{{ if .Values.replicas }}{{ fail "no CRD" }}{{ end }}');
    const [part] = await chartFindings([withValues({})], folder, undefined);
    rmSync(join(folder, 'app/templates/fail.yaml'));
    expect(part?.findings[0]).toMatchObject({ rule: 'chart-renders', message: expect.stringContaining('no CRD') });
  });
});

test('keys are compared as deep as the chart says something', () => {
  const defaults = { a: { b: 1, free: {} }, list: [] };
  expect(unknownKeys({ a: { b: 2, c: 3, free: { x: 1 } }, list: [1] }, defaults, 'v', [])).toEqual(['v.a.c']);
  expect(unknownKeys({ a: { b: { anything: 1 } } }, defaults, 'v', [])).toEqual([]);
  expect(unknownKeys({ a: { c: 3 } }, defaults, 'v', ['a.c'])).toEqual([]);
});

test('every chart of prod is known by name and version', async () => {
  const all = releases(await renderEnvironment('prod')).map(({ chart, version }) => `${chart} ${version}`.trim());
  expect(all.sort()).toEqual([
    'alloy 1.11.1',
    'cert-manager v1.21.1',
    'dagster 1.13.23',
    'kube-prometheus-stack 91.4.1',
    'loki 18.11.0',
    'traefik',
  ]);
});
