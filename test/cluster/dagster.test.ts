import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { at, kindOf, nameOf, text } from '../../cluster/check/manifest.ts';
import { render } from '../../cluster/check/render.ts';

test('Dagster has a workspace, ours: without one its webserver and its daemon end at once', async () => {
  const objects = await render('cluster/apps/dagster');
  const values = at(objects.find((placed) => kindOf(placed) === 'HelmRelease')?.object, 'spec.values');
  // The chart mounts a workspace, and passes it with -w, only where this is true; the subchart would start code.
  expect(at(values, 'dagster-user-deployments')).toEqual({ enabled: true, enableSubchart: false, deployments: [] });
  // servers and externalConfigmap together are refused by the chart, whose own default has a server.
  expect(at(values, 'dagsterWebserver.workspace.servers')).toEqual([]);
  expect(at(values, 'dagsterWebserver.workspace.enabled')).toBe(true);
  const name = text(at(values, 'dagsterWebserver.workspace.externalConfigmap'));
  const config = objects.find((placed) => kindOf(placed) === 'ConfigMap' && nameOf(placed) === name);
  const { 'workspace.yaml': file } = (config?.object.data ?? {}) as Record<string, string>;
  expect(parse(file ?? '')).toEqual({ load_from: [] });
});
