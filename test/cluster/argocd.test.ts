import { describe, expect, test } from 'vitest';
import { at, identity, kindOf, list, nameOf, type Placed, text } from '../../cluster/check/manifest.ts';
import { ENVIRONMENTS, render, renderEnvironment } from '../../cluster/check/render.ts';

const wave = (placed: Placed): number =>
  Number(
    text(
      Object.entries((at(placed.object, 'metadata.annotations') ?? {}) as Record<string, string>).find(
        ([key]) => key === 'argocd.argoproj.io/sync-wave',
      )?.[1],
    ),
  );
const others = new Set(['Kustomization flux-system/secrets']);
const flux = /^(Kustomization|GitRepository|Image\w+|Provider|Alert|Receiver) flux-system\//;
const receiver = ['IngressRoute flux-system/receiver', 'Certificate flux-system/receiver'];

describe.each(ENVIRONMENTS)('Argo CD over %s', (environment) => {
  test("applies the whole environment but sealed Secrets and what is Flux' own", async () => {
    const applied = await render(`cluster/gitops/argocd/environments/${environment}`);
    const { objects } = await renderEnvironment(environment);
    expect(JSON.stringify(applied)).not.toContain('ENC[');
    const whole = objects
      .filter((placed) => kindOf(placed) !== 'Secret')
      .map(identity)
      .filter((name) => !flux.test(name) && !receiver.includes(name));
    const kept = applied.map(identity).filter((name) => !flux.test(name) && !others.has(name));
    expect(kept.sort()).toEqual(whole.sort());
  });

  test("lets Flux open this environment's Secrets after the namespaces and before the charts", async () => {
    const applied = await render(`cluster/gitops/argocd/environments/${environment}`);
    const secrets = applied.find((placed) => kindOf(placed) === 'Kustomization' && nameOf(placed) === 'secrets');
    expect(at(secrets?.object, 'spec.path')).toBe(`./cluster/environments/${environment}/secrets`);
    expect(at(secrets?.object, 'spec.decryption.provider')).toBe('sops');
    const source = applied.find((placed) => kindOf(placed) === 'GitRepository');
    expect(at(source?.object, 'spec.ref.branch')).toBe(environment === 'dev' ? 'promote' : 'main');
    const waves = (kind: string) => applied.filter((placed) => kindOf(placed) === kind).map(wave);
    expect(Math.max(...waves('Namespace'))).toBeLessThan(-25);
    expect(secrets === undefined ? Number.NaN : wave(secrets)).toBe(-25);
    expect(Math.min(...waves('HelmRelease'))).toBeGreaterThan(-25);
  });
});

test('the ApplicationSet applies those folders and does not ask for kinds that a chart has yet to bring', async () => {
  const set = (await render('cluster/gitops/argocd')).find((placed) => kindOf(placed) === 'ApplicationSet');
  expect(at(set?.object, 'spec.template.spec.source.path')).toBe('cluster/gitops/argocd/environments/{{ .name }}');
  expect(list(at(set?.object, 'spec.template.spec.syncPolicy.syncOptions'))).toContain(
    'SkipDryRunOnMissingResource=true',
  );
});
