import { complain, objectRule, type Placed, type Rule, text } from '../manifest.ts';
import { containerRule, containers, podTemplate, WORKLOADS } from '../pods.ts';

export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** Takes `registry/path:tag@sha256:...` apart; an absent part is empty. */
export function parseImage(image: string): ImageName {
  const [named = '', digest = ''] = image.split('@');
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const registry = /[.:]/.test(first) || first === 'localhost' ? first : '';
  const rest = registry === '' ? named : named.slice(slash + 1);
  const colon = rest.lastIndexOf(':');
  return {
    registry,
    repository: colon < 0 ? rest : rest.slice(0, colon),
    tag: colon < 0 ? '' : rest.slice(colon + 1),
    digest,
  };
}

/** What this repository builds and publishes itself. */
export const ownImage = (image: string): boolean => image.startsWith('ghcr.io/porchlight/');

/** Images of an environment without a digest; they wait for `npm run cluster:pin`. */
export function unpinned(objects: readonly Placed[]): string[] {
  const images = objects.flatMap((placed) => {
    const pod = podTemplate(placed);
    return pod === undefined ? [] : containers(pod).map(({ spec }) => text(spec.image));
  });
  return [...new Set(images.filter((image) => parseImage(image).digest === ''))].sort();
}

export const imageRules: readonly Rule[] = [
  containerRule('image-registry', 'A name without a registry is whatever the node has configured', ({ spec }) =>
    parseImage(text(spec.image)).registry === ''
      ? ['image', `"${text(spec.image)}" names no registry; write docker.io/library/...`]
      : undefined,
  ),
  containerRule('image-tag', 'A moving tag is a rollout that nobody decided', ({ spec }) => {
    const { tag } = parseImage(text(spec.image));
    if (tag === '') return ['image', `"${text(spec.image)}" has no tag`];
    return /^(latest|stable|main|master|edge|nightly)$/.test(tag) || !/\d/.test(tag)
      ? ['image', `the tag "${tag}" moves; name a version`]
      : undefined;
  }),
  containerRule('image-digest', 'A digest is 64 hexadecimal digits that a registry gave', ({ spec }) => {
    const { digest } = parseImage(text(spec.image));
    if (digest === '') return undefined;
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hex === undefined) return ['image', `"${digest}" is not a sha256 digest; run npm run cluster:pin`];
    return new Set(hex).size < 6 ? ['image', `"${digest}" is made up; run npm run cluster:pin`] : undefined;
  }),
  objectRule('image-one-version', 'Two versions of one image in one pod are a forgotten edit', WORKLOADS, (placed) => {
    const pod = podTemplate(placed);
    if (pod === undefined) return [];
    const seen = new Map<string, string>();
    return containers(pod).flatMap(({ path, spec }) => {
      const { repository, tag } = parseImage(text(spec.image));
      const before = seen.get(repository);
      seen.set(repository, tag);
      return before !== undefined && before !== tag
        ? [complain(placed, `${path}.image`, `is ${tag}, another container has ${before}`)]
        : [];
    });
  }),
];
