import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isSeq, parse, parseDocument, stringify } from 'yaml';
import { type JsonMap, list, map, type Placed, text } from './manifest.ts';
import { type ImageName, ownImage, parseImage, unpinned } from './policy/images.ts';
import { ENVIRONMENTS, renderCombinations, renderEnvironment } from './render.ts';
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
  const ask = (method: 'HEAD' | 'GET', authorization?: string): Promise<Response> =>
    fetcher(url, {
      method,
      headers: { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
      signal: AbortSignal.timeout(20_000),
    });
  let answer = await ask('HEAD');
  let bearer: string | undefined;
  if (answer.status === 401) {
    bearer = `Bearer ${await token(answer.headers.get('www-authenticate') ?? '', fetcher)}`;
    answer = await ask('HEAD', bearer);
  }
  let digest = answer.headers.get('docker-content-digest') ?? '';
  // The header is a SHOULD: a manifest's digest is the hash of its bytes either way.
  if (answer.ok && digest === '') {
    const body = new Uint8Array(await (await ask('GET', bearer)).arrayBuffer());
    if (body.length > 0) digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  }
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

/** A component's text with the digest beside each `newTag` that was found; an option may run another tag than the base. */
export function withComponentDigest(source: string, found: ReadonlyMap<string, string>): string {
  const document = parseDocument(source);
  const images = document.get('images');
  let changed = false;
  for (const entry of isSeq(images) ? images.items : []) {
    const digest = isMap(entry) ? found.get(`${entry.get('name')}:${entry.get('newTag')}`) : undefined;
    if (!isMap(entry) || digest === undefined) continue;
    entry.set('digest', digest);
    changed = true;
  }
  return changed ? document.toString({ lineWidth: 0 }) : source;
}

async function lookUpAll(images: readonly string[]): Promise<{ found: Map<string, string>; failed: string[] }> {
  const found = new Map<string, string>();
  const failed: string[] = [];
  for (const image of images) {
    try {
      found.set(image, await lookUp(parseImage(image), fetch));
      console.log(`${image}@${found.get(image)}`);
    } catch (error) {
      failed.push(`${image}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { found, failed };
}

async function main(): Promise<number> {
  const file = join(repository, 'cluster/images/kustomization.yaml');
  const clusters = await Promise.all(ENVIRONMENTS.map(renderEnvironment));
  const options = await Promise.all(ENVIRONMENTS.map((environment) => renderCombinations(environment, 'apps')));
  const foreign = (rendered: readonly { objects: readonly Placed[] }[]) =>
    [...new Set(rendered.flatMap(({ objects }) => unpinned(objects)))].filter((image) => !ownImage(image));
  const base = await lookUpAll(foreign(clusters));
  const optional = await lookUpAll(foreign(options.flat()).filter((image) => !base.found.has(image)));
  const source = readFileSync(file, 'utf8');
  const comments = source.slice(0, source.indexOf('apiVersion:'));
  if (base.found.size > 0)
    writeFileSync(file, comments + stringify(withDigests(map(parse(source) as JsonMap), base.found)));
  for (const name of readdirSync(join(repository, 'cluster/components'))) {
    const component = join(repository, 'cluster/components', name, 'kustomization.yaml');
    if (existsSync(component))
      writeFileSync(component, withComponentDigest(readFileSync(component, 'utf8'), optional.found));
  }
  const failed = [...base.failed, ...optional.failed];
  for (const line of failed) console.error(line);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
