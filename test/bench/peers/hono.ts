import { Hono } from 'hono';
import { cache } from 'hono/cache';

/** Hono with its own cache middleware, as its documentation shows it. */
const app = new Hono<{ Bindings: { ORIGIN: string } }>();

app.get('*', cache({ cacheName: 'bench' }));
app.all('*', (c) => {
  const url = new URL(c.req.url);
  return fetch(new Request(c.env.ORIGIN + url.pathname + url.search, c.req.raw));
});

export default app;
