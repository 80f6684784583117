/** The least a cache in memory can be: a map by URL. No expiry, no bound, no rules. */
interface Env {
  ORIGIN: string;
}

interface Page {
  status: number;
  headers: Headers;
  body: ArrayBuffer;
}

const pages = new Map<string, Page>();

async function load(url: string, env: Env): Promise<Page> {
  const { pathname, search } = new URL(url);
  const response = await fetch(env.ORIGIN + pathname + search);
  const page = { status: response.status, headers: response.headers, body: await response.arrayBuffer() };
  pages.set(url, page);
  return page;
}

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    const page = pages.get(request.url);
    if (page !== undefined) return new Response(page.body, page);
    return load(request.url, env).then(({ body, ...init }) => new Response(body, init));
  },
};
