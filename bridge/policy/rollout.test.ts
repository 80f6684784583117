import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deploymentOf } from '../rollouts/deployment.ts';
import { fingerprint } from '../rollouts/fingerprint.ts';
import { type Deployment, decideRollout, type PublishedRollout, progressOf } from './rollout.ts';

const base: Deployment = {
  namespace: 'web',
  name: 'blog',
  uid: 'u1',
  generation: 2,
  annotations: {},
  replicas: 2,
  template: {},
  images: ['blog:2'],
  status: {
    observedGeneration: 2,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    deadlineExceeded: false,
  },
};
const withStatus = (status: Partial<Deployment['status']>, rest: Partial<Deployment> = {}): Deployment => ({
  ...base,
  ...rest,
  status: { ...base.status, ...status },
});
const published: PublishedRollout = { uid: 'u1', generation: 1, serial: 1, template: 'old', exposed: null };

describe('progress, as kubectl rollout status says it', () => {
  test.each<[string, Deployment, string]>([
    ['complete', base, 'complete'],
    ['a spec the controller has not seen', withStatus({ observedGeneration: 1 }), 'not-observed'],
    ['the status may be ahead of the spec we hold', withStatus({ observedGeneration: 3 }), 'complete'],
    ['past its deadline', withStatus({ deadlineExceeded: true }), 'progress-deadline-exceeded'],
    [
      'an unseen spec of one that failed before',
      withStatus({ observedGeneration: 1, deadlineExceeded: true }),
      'not-observed',
    ],
    ['not all updated', withStatus({ updatedReplicas: 1 }), 'updating'],
    ['an old one left', withStatus({ replicas: 3 }), 'terminating-old'],
    ['a new one not available yet', withStatus({ availableReplicas: 1 }), 'becoming-available'],
    [
      'scaled to nothing',
      withStatus({ replicas: 0, updatedReplicas: 0, availableReplicas: 0 }, { replicas: 0 }),
      'complete',
    ],
  ])('%s', (_name, deployment, expected) => {
    const progress = progressOf(deployment);
    expect(progress.state === 'complete' ? 'complete' : progress.reason).toBe(expected);
  });
});

describe('decision', () => {
  test.each<[string, Deployment, string, PublishedRollout | null, string]>([
    ['the first sight of a complete one', base, 'new', null, 'publish first-seen'],
    ['a complete new template', base, 'new', published, 'publish new-template'],
    ['the same template again: a replay, a scaling, a relist', base, 'old', published, 'ignore already-published'],
    ['half-way', withStatus({ updatedReplicas: 1, readyReplicas: 1, replicas: 2 }), 'new', published, 'wait updating'],
    [
      'half-way, with a new pod ready',
      withStatus({ updatedReplicas: 1, replicas: 3, readyReplicas: 3 }),
      'new',
      published,
      'note-exposure new-pods-serve',
    ],
    [
      'the same, noted already',
      withStatus({ updatedReplicas: 1, replicas: 3, readyReplicas: 3 }),
      'new',
      { ...published, exposed: 'new' },
      'wait updating',
    ],
    [
      'a status of the generation before says nothing about new pods',
      withStatus({ observedGeneration: 1 }),
      'new',
      published,
      'wait not-observed',
    ],
    [
      'failed',
      withStatus({ deadlineExceeded: true, updatedReplicas: 0 }),
      'new',
      published,
      'wait progress-deadline-exceeded',
    ],
    ['undone before any new pod was ready', base, 'old', published, 'ignore already-published'],
    [
      'undone after new pods had served',
      base,
      'old',
      { ...published, exposed: 'new' },
      'publish rolled-back-after-serving',
    ],
    ['a list overtaken by an event', base, 'older', { ...published, generation: 3 }, 'ignore older-than-published'],
    [
      'made anew under the same name starts over',
      { ...base, uid: 'u2', generation: 1, status: { ...base.status, observedGeneration: 1 } },
      'new',
      { ...published, generation: 9 },
      'publish new-template',
    ],
    [
      'nobody there to answer',
      withStatus({ replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0 }, { replicas: 0 }),
      'new',
      published,
      'ignore scaled-to-zero',
    ],
  ])('%s', (_name, deployment, template, before, expected) => {
    const { action, reason } = decideRollout(deployment, template, before);
    expect(`${action} ${reason}`).toBe(expected);
  });
});

test('a recorded good rollout, a bad one that pulls no image, and its undo: published once, when the good one is complete', () => {
  const recording = readFileSync(new URL('../../test/bridge/fixtures/watch-rollout.ndjson', import.meta.url), 'utf8');
  let state: PublishedRollout | null = null;
  const actions: string[] = [];
  for (const line of recording.trim().split('\n')) {
    const event = JSON.parse(line) as { type: string; object: { metadata: { resourceVersion: string } } };
    if (event.type === 'BOOKMARK') continue;
    const deployment = deploymentOf(event.object);
    const template = fingerprint(deployment.template);
    state ??= { uid: deployment.uid, generation: 1, serial: 1, template: 'of-1.0.0', exposed: null };
    const decision = decideRollout(deployment, template, state);
    if (decision.action === 'wait' || decision.action === 'ignore') continue;
    actions.push(`${event.object.metadata.resourceVersion} ${decision.action}`);
    state =
      decision.action === 'publish'
        ? { ...state, template, generation: deployment.generation, serial: state.serial + 1, exposed: null }
        : { ...state, exposed: template };
  }
  expect(actions).toEqual(['314 note-exposure', '343 publish']);
});
