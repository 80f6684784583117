import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { at, kindOf, list, map, nameOf, type Placed } from '../../cluster/check/manifest.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';

/** What has to be there on a machine where nothing ever ran: empty volumes, no kinds, read-only root file systems. */
describe('the first start of prod', () => {
  let prod: readonly Placed[] = [];
  beforeAll(async () => {
    prod = (await renderEnvironment('prod')).objects;
  });
  const find = (kind: string, name: string) =>
    prod.find((placed) => kindOf(placed) === kind && nameOf(placed) === name)?.object;
  const POD = 'spec.template.spec';

  test.each([
    ['backup-metrics', { name: 'backup', mountPath: '/backup' }, ['mkdir', '-p', '/backup/metrics']],
    ['ollama', { name: 'models', mountPath: '/models' }, ['mkdir', '-p', '/models/blobs', '/models/manifests']],
  ])('%s finds its folders on an empty volume', (name, mount, command) => {
    const [first] = list(at(find('Deployment', name), `${POD}.initContainers`));
    expect(map(first).command).toEqual(command);
    expect(map(first).volumeMounts).toEqual([mount]);
  });

  test('the offsite job has a user for ssh', () => {
    const pod = at(find('CronJob', 'backup-offsite'), 'spec.jobTemplate.spec.template.spec');
    const [container] = list(at(pod, 'containers'));
    expect(map(container).volumeMounts).toContainEqual({
      name: 'scripts',
      mountPath: '/etc/passwd',
      subPath: 'passwd',
      readOnly: true,
    });
    const passwd = readFileSync(new URL('../../cluster/data/backup/scripts/passwd', import.meta.url), 'utf8');
    const [, , user, group] = (passwd.split('\n')[1] ?? '').split(':').map(Number);
    expect({ user, group }).toEqual({
      user: at(pod, 'securityContext.runAsUser'),
      group: at(pod, 'securityContext.runAsGroup'),
    });
  });

  test('Alloy can write where it stores', () => {
    const values = at(find('HelmRelease', 'alloy'), 'spec.values');
    expect(at(values, 'alloy.securityContext.readOnlyRootFilesystem')).toBe(true);
    expect(at(values, 'alloy.mounts.extra')).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect(at(values, 'controller.volumes.extra')).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }]);
  });

  test("cert-manager waits for the release that brings its monitor's kind", () => {
    expect(at(find('HelmRelease', 'cert-manager'), 'spec.dependsOn')).toEqual([
      { name: 'kube-prometheus-stack', namespace: 'monitoring' },
    ]);
  });

  test("the dead man's signal gets out, to the world and not to the home network", () => {
    const policy = find('NetworkPolicy', 'allow-dead-man');
    expect(at(policy, 'spec.podSelector.matchLabels')).toEqual({ 'app.kubernetes.io/name': 'alertmanager' });
    expect(at(policy, 'spec.egress')).toEqual([
      {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] } }],
        ports: [{ port: 443, protocol: 'TCP' }],
      },
    ]);
  });
});
