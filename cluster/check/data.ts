import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type JsonMap, list, map, text } from './manifest.ts';

const read = (name: string): unknown => parse(readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8'));

export interface SecretNeed {
  readonly namespace: string;
  readonly name: string;
  readonly keys: readonly string[];
}

export interface Machine {
  readonly cpu: number;
  readonly memory: string;
  readonly reserved: string;
  readonly unlisted: string;
  readonly storage: string;
  readonly 'node-ip': string;
}

/** What must be there, and must not say something, so that an alert can end. */
export interface Cause {
  readonly alert: string;
  readonly object: string;
  readonly not?: { readonly field: string; readonly value: boolean | string };
}

export const charts: JsonMap = map(read('charts.yaml') as JsonMap);
export const machines = read('machines.yaml') as Record<string, Machine>;
export const secretNeeds = read('secrets.yaml') as readonly SecretNeed[];
export const causes = read('causes.yaml') as readonly Cause[];
export const components = read('components.yaml') as Record<string, readonly string[][]>;

/** Whether data/charts.yaml lists a thing of this sort by namespace and name. */
export const broughtByChart = (sort: string, namespace: string, name: string): boolean =>
  list(charts[sort]).some((item) => text(map(item).namespace) === namespace && text(map(item).name) === name);
