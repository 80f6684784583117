import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookUp, withComponentDigest, withDigests } from '../../cluster/check/pin.ts';
import { parseImage } from '../../cluster/check/policy/images.ts';

const INDEX = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}';
const digest = `sha256:${createHash('sha256').update(INDEX).digest('hex')}`;

/** The distribution API as Docker Hub and GHCR speak it: a token for the scope, then the manifest by tag. */
function registry(request: IncomingMessage, response: ServerResponse, at: string, asked: string[]): void {
  const url = new URL(request.url ?? '', at);
  asked.push(`${request.method} ${url.pathname}`);
  if (url.pathname === '/token') {
    const scope = url.searchParams.get('scope') ?? '';
    // Docker Hub answers `token`, others `access_token`.
    const field = scope.includes('other') ? 'access_token' : 'token';
    return void response.end(JSON.stringify({ [field]: `for ${url.searchParams.get('service')} ${scope}` }));
  }
  const name = url.pathname.split('/').slice(2, 4).join('/');
  const scope = `repository:${name}:pull`;
  if (request.headers.authorization !== `Bearer for s ${scope}`) {
    const challenge = `Bearer realm="${at}/token",service="s",scope="${scope}"`;
    return void response.writeHead(401, { 'www-authenticate': challenge }).end();
  }
  if (!url.pathname.endsWith('/manifests/1.0')) return void response.writeHead(404).end();
  // Who does not accept an index is given one platform's manifest, whose digest is another one.
  const index = request.headers.accept?.includes('application/vnd.oci.image.index.v1+json');
  if (!index) return void response.writeHead(406).end();
  const silent = name === 'a/silent';
  response.writeHead(200, silent ? {} : { 'docker-content-digest': digest });
  response.end(request.method === 'HEAD' ? '' : name === 'a/silent' ? INDEX : '');
}

describe('a digest is asked of the registry', () => {
  const asked: string[] = [];
  let server: Server;
  let host: string;
  beforeAll(async () => {
    server = createServer((request, response) => registry(request, response, `http://${host}`, asked));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  const ask = (image: string) => lookUp(parseImage(`${host}/${image}`), fetch, 'http');

  test('with the token that it wants, by HEAD', async () => {
    asked.length = 0;
    expect(await ask('a/b:1.0')).toBe(digest);
    expect(asked).toEqual(['HEAD /v2/a/b/manifests/1.0', 'GET /token', 'HEAD /v2/a/b/manifests/1.0']);
    expect(await ask('a/other:1.0')).toBe(digest);
  });

  test('where it names none, the manifest itself is hashed', async () => {
    expect(await ask('a/silent:1.0')).toBe(digest);
  });

  test('a tag that is not there, and a registry that cannot be reached, are said so', async () => {
    await expect(ask('a/b:2.0')).rejects.toThrow('404, no digest');
    await expect(lookUp(parseImage('127.0.0.1:9/a/b:1.0'), fetch, 'http')).rejects.toThrow();
  });
});

test('digests go beside their tags, sorted, and nothing else is touched', () => {
  const current = { kind: 'Component', images: [{ name: 'docker.io/z', newTag: '1', digest: 'sha256:old' }] };
  expect(withDigests(current, new Map([['docker.io/a/b:1.0', digest]]))).toEqual({
    kind: 'Component',
    images: [
      { name: 'docker.io/a/b', newTag: '1.0', digest },
      { name: 'docker.io/z', newTag: '1', digest: 'sha256:old' },
    ],
  });
});

test("an option's own tag gets its own digest, comments kept", () => {
  const source = '# why\nimages:\n  - { name: docker.io/a/b, newTag: 1.0-rocm }\n';
  expect(withComponentDigest(source, new Map([['docker.io/a/b:1.0-rocm', digest]]))).toBe(
    `# why\nimages:\n  - { name: docker.io/a/b, newTag: 1.0-rocm, digest: ${digest} }\n`,
  );
  expect(withComponentDigest(source, new Map([['docker.io/a/b:1.0', digest]]))).toBe(source);
});
