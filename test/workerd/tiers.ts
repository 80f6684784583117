import { ArchiveTier } from '../../worker/tiers/archive.ts';
import { decode, encode } from '../../worker/tiers/codec.ts';
import { ColoTier } from '../../worker/tiers/colo.ts';
import type { Tier } from '../../worker/tiers/tier.ts';

interface Env {
  readonly ARCHIVE: R2Bucket;
}

function tierOf(name: string, env: Env): Tier | undefined {
  if (name === 'archive') return new ArchiveTier(env.ARCHIVE);
  return name === 'colo' ? new ColoTier(caches.open('tiers'), 'https://blog.test') : undefined;
}

async function answer(request: Request, tier: Tier, key: string): Promise<Response> {
  if (request.method === 'PUT') {
    const entry = decode(await request.arrayBuffer());
    if (entry === undefined) return new Response('not a frame', { status: 400 });
    await tier.put(entry);
    return new Response(null, { status: 204 });
  }
  if (request.method === 'DELETE') {
    await tier.delete(key);
    return new Response(null, { status: 204 });
  }
  const fields = (await request.json()) as Record<string, string>;
  const entry = await tier.get(key, (name) => fields[name] ?? null);
  return entry === undefined ? new Response(null, { status: 404 }) : new Response(encode(entry));
}

async function listing(env: Env, prefix: string): Promise<Response> {
  const found = [];
  for await (const one of new ArchiveTier(env.ARCHIVE).list(prefix)) found.push(one);
  return Response.json(found);
}

/** The tiers of the Worker in its own runtime, spoken to over HTTP: `/<tier>?key=`, frames in, frames out. */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const key = url.searchParams.get('key') ?? '';
    if (url.pathname === '/list') return listing(env, key);
    const tier = tierOf(url.pathname.slice(1), env);
    return tier === undefined ? new Response('no such tier', { status: 404 }) : answer(request, tier, key);
  },
};
