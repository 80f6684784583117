import { expect, test } from 'vitest';
import { access } from '../../shared/contract/access.ts';
import { apiRoute } from './api.ts';

test.each([
  ['POST', '/v1/purge', 'POST /v1/purge'],
  ['GET', '/v1/purges/abc', 'GET /v1/purges/{id}'],
  ['HEAD', '/version', 'GET /version'],
  ['DELETE', '/v1/threads/t:1/comments/c.2', 'DELETE /v1/threads/{id}/comments/{commentId}'],
  ['GET', '/v1/threads/t/summary', 'GET /v1/threads/{id}/summary'],
  ['GET', '/v1/threads//summary', 404],
  ['GET', '/v1/threads/a/b/summary', 404],
  ['GET', '/v1/purges/', 404],
  ['GET', '/', 404],
  ['GET', '/V1/purge', 404],
  ['GET', '/v1/purge/', 404],
  ['PUT', '/v1/threads/t/summary', 405],
] as const)('%s %s', (method, path, expected) => {
  const found = apiRoute(method, path);
  const said = found.kind === 'route' ? `${found.route.method} ${found.route.path}` : found.problem.status;
  expect(said).toBe(expected);
});

test('a preflight is passed on, without a body', () => {
  const found = apiRoute('OPTIONS', '/v1/summaries');
  expect(found.kind === 'route' && [found.route.callers, found.route.bodyMaxBytes]).toEqual([['anyone'], 0]);
});

test('every route of the contract is found by its own template', () => {
  for (const route of Object.values(access)) {
    const path = route.path.replace(/\{\w+\}/g, 'x');
    expect(apiRoute(route.method, path)).toEqual({ kind: 'route', route });
  }
});
