import { expect, test } from 'vitest';
import { type RouteContract, routes } from '../../shared/contract/routes.ts';
import { openApiDocument } from '../../shared/openapi.ts';

const document = openApiDocument('1.2.3') as {
  openapi: string;
  info: { version: string };
  paths: Record<string, Record<string, { security: object[]; responses: object; requestBody?: object }>>;
  components: { schemas: Record<string, { properties?: object }> };
};

test('describes every route with its callers and answers', () => {
  expect(document.openapi).toBe('3.1.0');
  for (const route of Object.values<RouteContract>(routes)) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    expect(Object.keys(operation?.responses ?? {})).toEqual(Object.keys(route.responses));
    const named = route.callers.filter((caller) => caller !== 'anyone' && caller !== 'direct');
    expect(operation?.security.flatMap((scheme) => Object.keys(scheme))).toEqual(named);
  }
});

test('every reference leads somewhere, and the purge schema says what validation says', () => {
  const text = JSON.stringify(document);
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
    expect(document.components.schemas).toHaveProperty(name);
  expect(text).not.toContain('$defs');
  expect(document.components.schemas.PurgeRequest).toMatchObject({
    additionalProperties: false,
    properties: { mode: { enum: ['invalidate', 'delete'] }, tags: { type: 'array' } },
  });
});
