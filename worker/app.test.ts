import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Route } from '../shared/site.ts';
import { validateSite } from '../shared/site-check.ts';
import { routeTable } from './app.ts';

const route = (id: string, hosts: string[], path: string): Route => ({ id, hosts, path, to: 'blog', cache: true });
const UPSTREAMS = { blog: { url: 'http://127.0.0.1:3000', publicOrigin: 'http://localhost' } };
const EMPTY = { freshness: [], bypassCookies: [], trackingParameters: [], keyedHeaders: [] };

describe('routing by host, then path, first match wins', () => {
  const routes = [
    route('status', ['status.example.com'], '/*'),
    route('file', ['blog.example.com'], '/robots.txt'),
    route('folder', ['blog.example.com'], '/api/*'),
    route('blog', ['blog.example.com', '[::1]'], '/*'),
    route('any', ['*.example.com'], '/*'),
  ];
  test.each<[string, string | undefined]>([
    ['https://status.example.com/', 'status'],
    ['https://blog.example.com/', 'blog'],
    ['https://blog.example.com:8443/posts/a?b=c', 'blog'],
    ['https://blog.example.com/robots.txt', 'file'],
    ['https://blog.example.com/robotsxtxt', 'blog'],
    ['https://blog.example.com/robots.txt.bak', 'blog'],
    ['https://blog.example.com/api', 'folder'],
    ['https://blog.example.com/api/x', 'folder'],
    ['https://blog.example.com/apix', 'blog'],
    ['https://blog.example.com/x/api/', 'blog'],
    ['https://blog.example.com/%61pi/', 'blog'],
    ['https://blog.example.com//api/', 'blog'],
    ['http://[::1]:8787/', 'blog'],
    ['https://other.example.com/', 'any'],
    ['https://example.com/', undefined],
    ['https://example.com.evil.example/', undefined],
    ['https://evilblog.example.com/', 'any'],
  ])('%s -> %s', async (url, id) => {
    expect((await routeTable(routes)(new URL(url)))?.id).toBe(id);
  });
});

test('property: in a table that was accepted, every route takes the URLs it names', async () => {
  const host = fc.constantFrom('*', '*.b.test', '*.a.b.test', 'a.b.test', 'c.test');
  const path = fc.constantFrom('/*', '/x', '/x/', '/x/*', '/x/y', '/x/y/*', '/x.y', '/z');
  const routes = fc
    .array(fc.tuple(fc.uniqueArray(host, { minLength: 1, maxLength: 2 }), path), { minLength: 1, maxLength: 5 })
    .map((all) => all.map(([hosts, at], i) => route(`r${i}`, hosts, at)));
  await fc.assert(
    fc.asyncProperty(routes, async (table) => {
      fc.pre(validateSite({ upstreams: UPSTREAMS, routes: table, ...EMPTY }).length === 0);
      const find = routeTable(table);
      for (const { id, hosts, path: at } of table) {
        for (const pattern of hosts) {
          const name = pattern === '*' ? 'unheard.of' : pattern.replace('*', 'some');
          expect((await find(new URL(`http://${name}${at.replace('*', 'unheard-of')}`)))?.id).toBe(id);
        }
      }
    }),
    { numRuns: 300 },
  );
});
