import { z } from 'zod';
import { type RouteContract, routes } from './contract/routes.ts';

type Json = Record<string, unknown>;

/** OpenAPI 3.1 from the contract: the schemas that validate are the schemas that are published. */
export function openApiDocument(version: string): Json {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const route of Object.values<RouteContract>(routes)) {
    const operations = paths[route.path] ?? {};
    paths[route.path] = operations;
    operations[route.method.toLowerCase()] = operation(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Porchlight bridge',
      version,
      description:
        'Purges that are never lost, rollouts that publish themselves, summaries that say who made them, health that tells the truth.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas, securitySchemes },
  };
}

const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: 'A token of BRIDGE_TOKENS.' },
  google: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A Google-signed ID token.' },
  access: { type: 'apiKey', in: 'header', name: 'Cf-Access-Jwt-Assertion', description: 'Cloudflare Access.' },
  hmac: { type: 'apiKey', in: 'header', name: 'X-Signature', description: 'sha256=<hex> of the raw body.' },
};

function operation(route: RouteContract, schemas: Record<string, Json>): Json {
  const schema = { type: 'string' };
  const parameters = [
    ...[...route.path.matchAll(/\{(\w+)\}/g)].map((match) => ({ name: match[1], in: 'path', required: true, schema })),
    ...Object.entries(route.headers ?? {}).map(([name, description]) => ({ name, in: 'header', description, schema })),
  ];
  const secured = route.callers.filter((caller) => caller in securitySchemes);
  const open = route.callers.some((caller) => caller === 'anyone' || caller === 'direct');
  return {
    operationId: route.name,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    security: [...(open ? [{}] : []), ...secured.map((caller) => ({ [caller]: [] }))],
    ...(route.request
      ? { requestBody: { required: true, content: jsonContent(reference(route.request, schemas)) } }
      : {}),
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, response]) => [
        status,
        { description: response.description, ...content(response, schemas) },
      ]),
    ),
  };
}

function content(response: RouteContract['responses'][number], schemas: Record<string, Json>): Json {
  const { body, contentType } = response;
  if (!body && !contentType) return {};
  return {
    content: {
      ...(body ? jsonContent(reference(body, schemas)) : {}),
      ...(contentType ? { [contentType]: { schema: { type: 'string' } } } : {}),
    },
  };
}

const jsonContent = (schema: Json) => ({ 'application/json': { schema } });

/**
 * Named schemas go to `components`; the rest stands where it is used. Everything as a caller writes it: defaults may be left out, and
 * answers may grow fields without breaking a client that was generated before.
 */
function reference(schema: z.ZodType, schemas: Record<string, Json>): Json {
  const json = z.toJSONSchema(schema, { io: 'input', reused: 'inline', target: 'draft-2020-12' }) as Json;
  const { $schema: _dialect, $defs, id, ...body } = moved(json);
  for (const [name, { id: _id, ...definition }] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
    schemas[name] = definition;
  }
  if (typeof id !== 'string') return body;
  schemas[id] = body;
  return { $ref: `#/components/schemas/${id}` };
}

const moved = (schema: Json): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
