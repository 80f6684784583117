import type { Rule } from '../manifest.ts';
import { accessRules } from './access.ts';
import { alertRules } from './alerts.ts';
import { budgetRules } from './budget.ts';
import { gitopsRules } from './gitops.ts';
import { imageRules } from './images.ts';
import { namespaceRules } from './namespaces.ts';
import { networkRules } from './network.ts';
import { podReferenceRules } from './pod-references.ts';
import { podRules } from './pods.ts';
import { referenceRules } from './references.ts';
import { routeRules } from './routes.ts';
import { secretRules } from './secrets.ts';
import { upgradeRules } from './upgrades.ts';
import { workloadRules } from './workloads.ts';

/** Rules that hold for any part of an environment. */
export const partRules: readonly Rule[] = [...podRules, ...accessRules, ...imageRules, ...secretRules];

/** All rules; the others need the whole environment. */
export const allRules: readonly Rule[] = [
  ...partRules,
  ...workloadRules,
  ...namespaceRules,
  ...networkRules,
  ...podReferenceRules,
  ...referenceRules,
  ...routeRules,
  ...budgetRules,
  ...gitopsRules,
  ...alertRules,
  ...upgradeRules,
];
