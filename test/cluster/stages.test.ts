import { expect, test } from 'vitest';
import { STAGES } from '../../bridge/hooks/changes.ts';
import { kindOf, nameOf, text } from '../../cluster/check/manifest.ts';
import { render } from '../../cluster/check/render.ts';

test('the bridge counts changes under the names that the stages have', async () => {
  const stages = (await render('cluster/gitops/flux')).filter(
    (placed) => kindOf(placed) === 'Kustomization' && text(placed.object.apiVersion).startsWith('kustomize.toolkit'),
  );
  expect(stages.map(nameOf).sort()).toEqual([...STAGES].sort());
});
