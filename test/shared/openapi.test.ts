import { expect, test } from 'vitest';
import { type RouteContract, routes } from '../../shared/contract/routes.ts';
import { Summary, SummaryRequest } from '../../shared/contract/summary.ts';
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

test('what is sent is closed, what is answered may grow', () => {
  const { schemas } = document.components;
  const closed = Object.keys(schemas).filter((name) =>
    JSON.stringify(schemas[name]).includes('"additionalProperties":false'),
  );
  expect(closed.sort()).toEqual(['Comment', 'PurgeRequest', 'SummaryOptions', 'SummaryRequest', 'Thread', 'Warm']);
});

test('an answer with a field of a later bridge is read, without it', () => {
  const summary = {
    ...{ threadId: 'a', summary: '', points: [{ text: 'A', commentIds: ['c1'], weight: 1 }], engine: 'extractive' },
    ...{ promptVersion: '1', language: 'und', coverage: { comments: 1, covered: 1, omitted: 0 }, stale: false },
    ...{ cached: false, tokens: { prompt: 0, completion: 0, cached: 0 }, createdAt: '2026-11-21T12:00:00Z' },
    ...{ timings: { queuedMs: 0, firstTokenMs: null, generatedMs: 0, totalMs: 1 }, mood: 'calm' },
  };
  const read = Summary.parse(summary);
  expect(read).not.toHaveProperty('mood');
  expect(read.points).toEqual([{ text: 'A', commentIds: ['c1'] }]);
  expect(SummaryRequest.safeParse({ threadId: 'a', mood: 'calm' }).success).toBe(false);
});
