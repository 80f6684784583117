/** The ceiling: no look-up at all. Body and number of headers are those of the page that the others serve. */
interface Env {
  BYTES: string;
  HEADERS: string;
}

let body: ArrayBuffer | undefined;
let headers: [string, string][] = [];

function prepare(env: Env): ArrayBuffer {
  headers = [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Cache-Control', 'public, max-age=3600'],
  ];
  // Content-Length is the runtime's own.
  for (let i = headers.length + 1; i < Number(env.HEADERS); i += 1) headers.push([`X-Header-${i}`, 'some value']);
  body = new TextEncoder().encode('x'.repeat(Number(env.BYTES))).buffer;
  return body;
}

export default {
  fetch(_request: Request, env: Env): Response {
    return new Response(body ?? prepare(env), { headers });
  },
};
