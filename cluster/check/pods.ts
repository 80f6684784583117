import {
  at,
  type Complaint,
  complain,
  type JsonMap,
  kindOf,
  list,
  map,
  objectRule,
  type Placed,
  type Rule,
} from './manifest.ts';

/** Where each workload kind keeps its pod template. */
const TEMPLATES: Readonly<Record<string, string>> = {
  Pod: '',
  Deployment: 'spec.template.',
  StatefulSet: 'spec.template.',
  DaemonSet: 'spec.template.',
  Job: 'spec.template.',
  CronJob: 'spec.jobTemplate.spec.template.',
};

export const WORKLOADS = Object.keys(TEMPLATES);

export interface PodTemplate {
  /** Path of the pod's spec inside the object. */
  readonly path: string;
  readonly spec: JsonMap;
  readonly labels: JsonMap;
  readonly annotations: JsonMap;
}

export interface Container {
  readonly path: string;
  readonly spec: JsonMap;
  readonly init: boolean;
}

export function podTemplate(placed: Placed): PodTemplate | undefined {
  const prefix = TEMPLATES[kindOf(placed)];
  if (prefix === undefined) return undefined;
  return {
    path: `${prefix}spec`,
    spec: map(at(placed.object, `${prefix}spec`)),
    labels: map(at(placed.object, `${prefix}metadata.labels`)),
    annotations: map(at(placed.object, `${prefix}metadata.annotations`)),
  };
}

export function containers(template: PodTemplate): Container[] {
  return ['initContainers', 'containers'].flatMap((key) =>
    list(template.spec[key]).map((spec, index) => ({
      path: `${template.path}.${key}[${index}]`,
      spec: map(spec),
      init: key === 'initContainers',
    })),
  );
}

/** A rule over every pod template. */
export function podRule(id: string, why: string, check: (pod: PodTemplate, placed: Placed) => Complaint[]): Rule {
  return objectRule(id, why, WORKLOADS, (placed) => {
    const pod = podTemplate(placed);
    return pod === undefined ? [] : check(pod, placed);
  });
}

/** A rule over every container; the check names a field below it and what is wrong, or nothing. */
export function containerRule(
  id: string,
  why: string,
  check: (
    container: Container,
    pod: PodTemplate,
    placed: Placed,
  ) => readonly [field: string, message: string] | undefined,
): Rule {
  return podRule(id, why, (pod, placed) =>
    containers(pod).flatMap((container) => {
      const found = check(container, pod, placed);
      return found === undefined ? [] : [complain(placed, `${container.path}.${found[0]}`, found[1])];
    }),
  );
}
