import { mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBlog, type Extension, type LogEvent } from './blog.ts';

const PAGE = 'public, max-age=60, stale-while-revalidate=86400, stale-if-error=2592000';
const events: LogEvent[] = [];
let dir = '';
let origin = '';
let close = async () => {};

const post = (slug: string, date: string, tags: string, body = 'Body') =>
  `---\ntitle: Post ${slug}\ndate: ${date}\ntags: [${tags}]\nexcerpt: About ${slug}.\nslug: ${slug}\n---\n${body}\n`;
const write = (file: string, text: string) => writeFile(join(dir, file), text);
const get = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init });
const text = async (path: string) => (await get(path)).text();

const guestbook: Extension = {
  mount: (app) =>
    app.get(
      '/guestbook',
      () => new Response('hi', { headers: { 'cache-control': 'no-store', 'content-type': 'text/plain' } }),
    ),
  problem: async () => 'guestbook: database is away; start it',
  close: async () => {},
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'porchlight-blog-'));
  await mkdir(join(dir, 'images'));
  await write('images/lamp.svg', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"/>');
  await write('one.md', post('one', '2026-11-01', 'edge, home', '![A lamp](images/lamp.svg "A lamp")'));
  await write('two.md', post('two', '2026-11-02', 'edge'));
  await write('three.md', post('three', '2026-11-03', 'home'));
  const site = { postsPerPage: 2 };
  const baseUrl = 'https://blog.example.org';
  const log = (event: LogEvent) => events.push(event);
  const blog = createBlog({ contentDir: dir, baseUrl, site, commit: 'abc1234', log, extensions: [guestbook] });
  const server = await blog.listen(0);
  close = server.close;
  origin = `http://127.0.0.1:${server.port}`;
});

afterAll(async () => {
  await close();
  await rm(dir, { recursive: true });
});

describe('every address', () => {
  const html = 'text/html; charset=utf-8';
  it.each([
    ['/', 200, html, PAGE, 'list,tag:edge,tag:home'],
    ['/page/2', 200, html, PAGE, 'list,tag:edge,tag:home'],
    ['/posts/one', 200, html, PAGE, 'post:one,tag:edge,tag:home'],
    ['/tags', 200, html, PAGE, 'list,tag:edge,tag:home'],
    ['/tags/home', 200, html, PAGE, 'list,tag:edge,tag:home'],
    ['/feed.xml', 200, 'application/atom+xml; charset=utf-8', PAGE, 'list'],
    ['/sitemap.xml', 200, 'application/xml; charset=utf-8', PAGE, 'list'],
    ['/robots.txt', 200, 'text/plain; charset=utf-8', PAGE.replace('60', '300'), null],
    ['/favicon.svg', 200, 'image/svg+xml; charset=utf-8', PAGE.replace('60', '300'), null],
    ['/images/lamp.svg', 200, 'image/svg+xml; charset=utf-8', PAGE.replace('60', '300'), 'image:lamp.svg'],
    ['/posts/none', 404, html, 'public, max-age=10', 'post:none'],
    ['/tags/none', 404, html, 'public, max-age=10', 'list,tag:none'],
    ['/page/3', 404, html, 'public, max-age=10', 'list'],
    ['/page/02', 404, html, 'public, max-age=10', null],
    ['/posts/one%2fx.css', 404, html, 'public, max-age=10', null],
    ['/posts/one;x.css', 404, html, 'public, max-age=10', null],
    ['/images/..%2fone.md', 404, html, 'public, max-age=10', null],
    ['/one.md', 404, html, 'public, max-age=10', null],
    ['/health', 200, 'application/json', 'no-store', null],
    ['/version', 200, 'application/json', 'no-store', null],
    ['/ready', 200, 'application/json', 'no-store', null],
    ['/guestbook', 200, 'text/plain', 'no-store', null],
  ])('%s answers %i', async (path, status, type, cacheControl, tags) => {
    const response = await get(path);
    const body = await response.text();
    const seen = ['content-type', 'cache-control', 'cache-tag'].map((name) => response.headers.get(name));
    expect([response.status, ...seen]).toEqual([status, type, cacheControl, tags]);
    expect(response.headers.has('set-cookie')).toBe(false);
    // Longer than the 90 s for which the proxies in front keep an idle connection.
    expect(response.headers.get('keep-alive')).toBe('timeout=95');
    if (status === 200 && cacheControl !== 'no-store') {
      expect(response.headers.get('etag')).toMatch(/^"[\w-]{27}"$/);
      expect(response.headers.get('last-modified')).toMatch(/ GMT$/);
    }
    const head = await get(path, { method: 'HEAD' });
    const ofConnection = ['date', 'transfer-encoding', 'connection', 'keep-alive'];
    if (cacheControl === 'no-store') ofConnection.push('content-length');
    const fields = (one: Response) => [...one.headers].filter(([name]) => !ofConnection.includes(name));
    expect([head.status, fields(head), await head.text()]).toEqual([status, fields(response), '']);
    expect(body).not.toBe('');
  });

  it.each([
    ['/page/1', 301, '/'],
    ['/tags/home/page/1', 301, '/tags/home'],
    ['/posts/one/', 308, '/posts/one'],
    ['/tags/', 308, '/tags'],
    ['/assets/lamp.0123456789abcdef.svg', 302, '/images/lamp.svg'],
    ['//elsewhere.example/', 404, null],
    ['/%2felsewhere.example/', 404, null],
  ])('%s leads %i to %s', async (path, status, location) => {
    const response = await get(path);
    expect([response.status, response.headers.get('location')]).toEqual([status, location]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s is refused', async (method) => {
    const response = await get('/posts/one', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('conditions', () => {
  it('are answered with 304 by tag and by date', async () => {
    const first = await get('/posts/two');
    const [etag, modified] = [first.headers.get('etag') ?? '', first.headers.get('last-modified') ?? ''];
    for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
      const again = await get('/posts/two', { headers });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    }
    expect((await get('/posts/two', { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });
});

describe('no header shapes a page', () => {
  it.each([
    ['x-forwarded-host', 'evil.example'],
    ['x-forwarded-proto', 'nothttps'],
    ['x-forwarded-prefix', '/evil'],
    ['forwarded', 'host=evil.example'],
    ['x-original-url', '/metrics'],
    ['x-rewrite-url', '/metrics'],
    ['x-http-method-override', 'DELETE'],
    ['accept', 'application/json'],
    ['accept-language', 'xx'],
    ['cookie', 'session=1'],
    ['range', 'bytes=0-1'],
  ])('%s: %s', async (name, value) => {
    for (const path of ['/posts/one', '/feed.xml', '/sitemap.xml']) {
      const [plain, shaped] = [await text(path), await get(path, { headers: { [name]: value } })];
      expect(await shaped.text()).toBe(plain);
    }
  });

  it('absolute addresses come from the configuration', async () => {
    expect(await text('/posts/one')).toContain('<link rel="canonical" href="https://blog.example.org/posts/one">');
    expect(await text('/feed.xml')).not.toContain('127.0.0.1');
  });
});

describe('pictures', () => {
  it('are linked by an address that names their content and never changes', async () => {
    const path = /src="(\/assets\/[^"]+)"/.exec(await text('/posts/one'))?.[1] ?? '';
    const response = await get(path);
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
  });
});

describe('machines', () => {
  it('learn the version and readiness', async () => {
    expect(await (await get('/version')).json()).toMatchObject({ name: 'porchlight-blog', commit: 'abc1234' });
    const ready = await (await get('/ready')).json();
    expect(ready).toEqual({ status: 'ready', posts: 3, problems: ['guestbook: database is away; start it'] });
  });

  it('count requests by route template, never by path', async () => {
    await get('/posts/one');
    const metrics = await text('/metrics');
    expect(metrics).toMatch(/http_requests_total\{method="GET",route="\/posts\/:slug",status="200"\} \d+/);
    expect(metrics).toMatch(/http_request_duration_seconds_bucket\{le="0.005",method="GET",route="\/",status="200"\}/);
    expect(metrics).toMatch(/route="none",status="404"/);
    expect(metrics).not.toContain('/posts/one');
  });
});

describe('changes on disk are served by the very next request', () => {
  it('new, edited, renamed and deleted posts', async () => {
    await write('four.md', post('four', '2026-11-04', 'home'));
    expect((await get('/posts/four')).status).toBe(200);
    const before = (await get('/posts/four')).headers.get('etag');
    await write('four.md', post('four', '2026-11-04', 'home', 'Edited'));
    const edited = await get('/posts/four');
    expect(await edited.text()).toContain('Edited');
    expect(edited.headers.get('etag')).not.toBe(before);
    await rename(join(dir, 'four.md'), join(dir, 'vier.md'));
    expect((await get('/posts/four')).status).toBe(200);
    await unlink(join(dir, 'vier.md'));
    expect((await get('/posts/four')).status).toBe(404);
    expect(await text('/')).not.toContain('Post four');
  });

  it('a broken post keeps its last good version; log and /ready say what to do', async () => {
    await write('two.md', post('two', 'soon', 'edge', 'Broken'));
    const response = await get('/posts/two');
    expect([response.status, (await response.text()).includes('Broken')]).toEqual([200, false]);
    const { problems } = (await (await get('/ready')).json()) as { problems: string[] };
    expect(problems[0]).toContain('two.md:3: date: must be a day such as 2026-11-20');
    expect(events).toContainEqual({ level: 'error', event: 'content-problem', detail: problems[0] });
    await write('two.md', post('two', '2026-11-02', 'edge', 'Mended'));
    expect(await text('/posts/two')).toContain('Mended');
  });

  it('the whole directory gone for a moment changes nothing', async () => {
    await rename(dir, `${dir}-away`);
    try {
      expect((await get('/posts/one')).status).toBe(200);
      const { problems } = (await (await get('/ready')).json()) as { problems: string[] };
      expect(problems.join()).toContain('cannot be read');
    } finally {
      await rename(`${dir}-away`, dir);
    }
    expect((await get('/posts/one')).status).toBe(200);
  });
});

it('before the first good look at the disk it asks for patience, and /ready says no', async () => {
  const blog = createBlog({ contentDir: join(dir, 'nowhere'), baseUrl: 'https://blog.example.org' });
  const page = await blog.app.request('/');
  expect([page.status, page.headers.get('retry-after'), page.headers.get('cache-control')]).toEqual([
    503,
    '5',
    'no-store',
  ]);
  const ready = await blog.app.request('/ready');
  expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'starting', posts: 0 }]);
});
