import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { at, complain, type JsonMap, list, map, objectRule, type Rule, text } from '../manifest.ts';

const VERSION = /^v(\d+)\.(\d+)\.(\d+)\+k3s(\d+)$/;
const STAGING = new URL('../../environments/staging/configs/kustomization.yaml', import.meta.url);

/** K3s' numbers in their order, or undefined where it is not an exact release of K3s. */
function numbers(version: string): number[] | undefined {
  return VERSION.exec(version)?.slice(1).map(Number);
}

/** Whether one release of K3s is later than another; false where either is none. */
export function isLater(one: string, other: string): boolean {
  const [mine, theirs] = [numbers(one), numbers(other)];
  const index = mine?.findIndex((part, place) => part !== theirs?.[place]) ?? -1;
  return index >= 0 && (mine?.[index] ?? 0) > (theirs?.[index] ?? Number.POSITIVE_INFINITY);
}

/** What staging's patch of the plan says. */
function stagingVersion(): string {
  const patches = list((parse(readFileSync(STAGING, 'utf8')) as JsonMap).patches).map(map);
  const plan = patches.find((patch) => at(patch, 'target.kind') === 'Plan');
  const operations = list(parse(text(plan?.patch)) as JsonMap[]).map(map);
  return text(operations.find(({ path }) => path === '/spec/version')?.value);
}

/** The host's own software: tried in staging, then prod. */
export const upgradeRules: readonly Rule[] = [
  objectRule('upgrade-tried', 'What prod upgrades to, staging has run', ['Plan'], (placed, { environment }) => {
    const version = text(at(placed.object, 'spec.version'));
    if (numbers(version) === undefined)
      return [
        complain(
          placed,
          'spec.version',
          `"${version}" is not an exact version, v1.36.4+k3s1; a channel moves by itself`,
        ),
      ];
    const staging = stagingVersion();
    return environment === 'prod' && isLater(version, staging)
      ? [complain(placed, 'spec.version', `is ${version}, staging has only ${staging}: raise it there first`)]
      : [];
  }),
];
