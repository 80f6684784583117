/** The classic: look in the data centre's cache, else fetch and put. */
interface Env {
  ORIGIN: string;
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

declare const caches: {
  default: {
    match(request: Request): Promise<Response | undefined>;
    put(request: Request, response: Response): Promise<void>;
  };
};

export default {
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    const hit = await caches.default.match(request);
    if (hit !== undefined) return hit;
    const url = new URL(request.url);
    const response = await fetch(new Request(env.ORIGIN + url.pathname + url.search, request));
    if (request.method === 'GET') context.waitUntil(caches.default.put(request, response.clone()));
    return response;
  },
};
