import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type JsonMap, list, map, text } from './manifest.ts';
import { type ImageName, parseImage, unpinned } from './policy/images.ts';
import { ENVIRONMENTS, renderEnvironment } from './render.ts';
import { repository } from './tools.ts';

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Where docker.io really is. */
const host = (registry: string): string => (registry === 'docker.io' ? 'registry-1.docker.io' : registry);

/** An anonymous token as the registry's 401 says (distribution spec, "Token authentication"). */
async function token(challenge: string, fetcher: typeof fetch): Promise<string> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key ?? '', value ?? '']),
  );
  const url = new URL(fields.realm ?? '');
  for (const key of ['service', 'scope']) if (fields[key] !== undefined) url.searchParams.set(key, fields[key]);
  const answer = await fetcher(url, { signal: AbortSignal.timeout(20_000) });
  const body = (await answer.json()) as { token?: string; access_token?: string };
  return body.token ?? body.access_token ?? '';
}

/**
 * The digest that a registry has for a tag (OCI distribution spec, HEAD on the manifest).
 * @param scheme `http` only for a registry on loopback
 */
export async function lookUp(
  image: ImageName,
  fetcher: typeof fetch,
  scheme: 'https' | 'http' = 'https',
): Promise<string> {
  const url = `${scheme}://${host(image.registry)}/v2/${image.repository}/manifests/${image.tag}`;
  const ask = (authorization?: string): Promise<Response> =>
    fetcher(url, {
      method: 'HEAD',
      headers: { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
      signal: AbortSignal.timeout(20_000),
    });
  let answer = await ask();
  if (answer.status === 401)
    answer = await ask(`Bearer ${await token(answer.headers.get('www-authenticate') ?? '', fetcher)}`);
  const digest = answer.headers.get('docker-content-digest') ?? '';
  if (!answer.ok || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Error(`${url}: ${answer.status}, no digest; does the tag exist, is the registry reachable?`);
  return digest;
}

/** The `images:` list with these digests set, sorted by name. */
export function withDigests(current: JsonMap, found: ReadonlyMap<string, string>): JsonMap {
  const entries = new Map(list(current.images).map((entry) => [text(map(entry).name), map(entry)]));
  for (const [image, digest] of found) {
    const { registry, repository: path, tag } = parseImage(image);
    const name = `${registry}/${path}`;
    entries.set(name, { name, newTag: tag, digest });
  }
  return { ...current, images: [...entries.values()].sort((a, b) => text(a.name).localeCompare(text(b.name))) };
}

async function main(): Promise<number> {
  const file = join(repository, 'cluster/images/kustomization.yaml');
  const clusters = await Promise.all(ENVIRONMENTS.map(renderEnvironment));
  const wanted = [...new Set(clusters.flatMap(({ objects }) => unpinned(objects)))].filter(
    (image) => !image.startsWith('ghcr.io/porchlight/'),
  );
  const found = new Map<string, string>();
  const failed: string[] = [];
  for (const image of wanted) {
    try {
      found.set(image, await lookUp(parseImage(image), fetch));
      console.log(`${image}@${found.get(image)}`);
    } catch (error) {
      failed.push(`${image}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const source = readFileSync(file, 'utf8');
  const comments = source.slice(0, source.indexOf('apiVersion:'));
  if (found.size > 0) writeFileSync(file, comments + stringify(withDigests(map(parse(source) as JsonMap), found)));
  for (const line of failed) console.error(line);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
