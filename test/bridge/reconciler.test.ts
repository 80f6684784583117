import { expect, test } from 'vitest';
import type { Deployment } from '../../bridge/policy/rollout.ts';
import { Reconciler } from '../../bridge/rollouts/reconciler.ts';
import type { Database } from '../../bridge/store/database.ts';
import { until } from '../support/bridge.ts';

const deployment = (name: string, generation = 1): Deployment => ({
  namespace: 'web',
  name,
  uid: name,
  generation,
  annotations: { 'porchlight.dev/tags': 'a' },
  replicas: 2,
  template: {},
  images: [],
  status: {
    observedGeneration: generation,
    replicas: 3,
    updatedReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 2,
    deadlineExceeded: false,
  },
});

test('a Deployment that fails waits by itself; the next ones get their turn, and it is shown until it succeeds', async () => {
  let broken = true;
  let stumbles = 0;
  const database: Database = {
    kind: 'postgres',
    query: async (_text, params) => {
      if (broken && params?.[0] === 'web/first') throw new Error('deadlock detected');
      return [];
    },
    transaction: () => Promise.reject(new Error('nothing is published here')),
    lost: new Promise(() => {}),
    close: async () => {},
  };
  const reconciler = new Reconciler(database, {
    publicHosts: [],
    now: Date.now,
    random: () => 0,
    decided: () => {},
    published: () => {},
    stumbled: () => stumbles++,
  });
  const shown = () => Object.fromEntries(reconciler.views.map((view) => [view.deployment, view.decision]));
  reconciler.observeAll([deployment('first'), deployment('second')]);
  await until('the second is decided', () => shown()['web/second'] === 'wait');
  expect(shown()).toEqual({ 'web/first': 'not-recorded', 'web/second': 'wait' });
  await until('it grows patient', () => stumbles >= 5);
  reconciler.observe(deployment('third'));
  await until('the third is decided at once', () => shown()['web/third'] === 'wait');
  broken = false;
  await until('the first is decided', () => shown()['web/first'] === 'wait');
  reconciler.stop();
});
