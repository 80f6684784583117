/** What is right as it stands and still waits for the operator or for a registry: notes, and failures with --strict. */
import type { Cluster, Placed } from './manifest.ts';
import { ownImage, unpinned } from './policy/images.ts';
import { awaited } from './policy/secrets.ts';
import { exampleRecipient, recipientsOf } from './sealed.ts';

function unpinnedNotes(rendered: readonly (readonly Placed[])[]): string[] {
  const images = [...new Set(rendered.flatMap(unpinned))].sort();
  const [own, foreign] = [images.filter(ownImage), images.filter((image) => !ownImage(image))];
  return [
    ...foreign.map((image) => `unpinned: ${image}: its registry knows the digest; npm run cluster:pin`),
    ...own.map((image) => `unpinned: ${image}: the first release publishes it, image automation writes its digest`),
  ];
}

function secretNotes({ environment, objects }: Cluster): string[] {
  const missing = awaited(objects);
  const sealed = objects.filter((placed) => recipientsOf(placed).includes(exampleRecipient));
  const command = `npm run cluster:seal -- --environment ${environment} --recipient age1... --values FILE`;
  return [
    ...(missing.length === 0 ? [] : [`unsealed: ${environment} waits for ${missing.join(', ')}: ${command}`]),
    // The example key is dev's own; elsewhere it is a placeholder that anybody can open.
    ...(sealed.length === 0 || environment === 'dev'
      ? []
      : [
          `example key: ${environment}: ${sealed.length} Secrets hold example values that anybody can open: ${command}`,
        ]),
  ];
}

/** One line for each thing that waits. */
export function standing(clusters: readonly Cluster[], combinations: readonly (readonly Placed[])[]): string[] {
  return [
    ...unpinnedNotes([...clusters.map(({ objects }) => objects), ...combinations]),
    ...clusters.flatMap(secretNotes),
  ];
}
