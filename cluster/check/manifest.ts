/** Rendered Kubernetes objects and typed ways to look into them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonMap = { [key: string]: Json };

/** One rendered object and the file (relative to the repository) that it came from. */
export interface Placed {
  readonly file: string;
  readonly object: JsonMap;
}

/** What is wrong, where, and what to do about it. */
export interface Finding {
  readonly rule: string;
  readonly file: string;
  /** `Kind namespace/name` */
  readonly object: string;
  /** Path into the object, `spec.template.spec.containers[0].image`. */
  readonly field: string;
  readonly message: string;
}

/** Everything that one environment consists of. */
export interface Cluster {
  readonly environment: string;
  readonly objects: readonly Placed[];
}

export interface Rule {
  readonly id: string;
  /** Why the rule exists, for the reader of a finding. */
  readonly why: string;
  check(cluster: Cluster): Finding[];
}

/** A rule's finding before it knows its rule. */
export type Complaint = Omit<Finding, 'rule'>;

export const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const map = (value: Json | undefined): JsonMap => (isMap(value) ? value : {});
export const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
export const text = (value: Json | undefined): string => (value === undefined || value === null ? '' : String(value));

/** Follows a dotted path of map keys; undefined where it ends early. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path.split('.')) here = isMap(here) ? here[key] : undefined;
  return here;
}

export const kindOf = (placed: Placed): string => text(placed.object.kind);
export const nameOf = (placed: Placed): string => text(at(placed.object, 'metadata.name'));
export const namespaceOf = (placed: Placed): string => text(at(placed.object, 'metadata.namespace'));
export const identity = (placed: Placed): string =>
  `${kindOf(placed)} ${namespaceOf(placed) === '' ? '' : `${namespaceOf(placed)}/`}${nameOf(placed)}`;

export function complain(placed: Placed, field: string, message: string): Complaint {
  return { file: placed.file, object: identity(placed), field, message };
}

/** A rule over each object of some kinds. */
export function objectRule(
  id: string,
  why: string,
  kinds: readonly string[],
  check: (placed: Placed, cluster: Cluster) => Complaint[],
): Rule {
  return {
    id,
    why,
    check: (cluster) =>
      cluster.objects
        .filter((placed) => kinds.includes(kindOf(placed)))
        .flatMap((placed) => check(placed, cluster))
        .map((complaint) => ({ rule: id, ...complaint })),
  };
}

export const labelsMatch = (selector: JsonMap, labels: JsonMap): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);
