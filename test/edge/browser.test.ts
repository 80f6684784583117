import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBlog, type Listening } from '../../blog/blog.ts';
import { type Edge, startEdge } from '../support/edge.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const present = existsSync(CHROMIUM);
if (!present) console.log(`The browser test does not run: there is no ${CHROMIUM} (apt-get install chromium).`);

let blog: Listening;
let edge: Edge;
let browser: Browser;

beforeAll(async () => {
  if (!present) return;
  const contentDir = fileURLToPath(new URL('../../blog/content', import.meta.url));
  blog = await createBlog({ contentDir, baseUrl: 'http://localhost:8787' }).listen(0);
  edge = await startEdge({ origin: `http://127.0.0.1:${blog.port}` });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
});
afterAll(async () => {
  await browser?.close();
  await edge?.stop();
  await blog?.close();
});

test.runIf(present)('a reader opens the blog through the edge: styled, drawn, without an error, stored', async () => {
  const page = await browser.newPage({ colorScheme: 'dark' });
  const wrong: string[] = [];
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  page.on('requestfailed', (request) => wrong.push(`${request.url()} ${request.failure()?.errorText}`));
  page.on('response', (response) => response.status() >= 400 && wrong.push(`${response.url()} ${response.status()}`));
  await page.goto(edge.url());
  expect(await page.locator('h1').first().textContent()).not.toBe('');
  await page.locator('article a, main a').first().click();
  await page.waitForLoadState('networkidle');
  expect(new URL(page.url()).pathname).toContain('/posts/');
  // The Content-Security-Policy of the blog survived the edge: its style applies.
  const background = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const body = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  expect([background, body].some((colour) => colour !== 'rgba(0, 0, 0, 0)' && colour !== 'rgb(255, 255, 255)')).toBe(
    true,
  );
  const drawn = await page.evaluate('[...document.querySelectorAll("main img")].map((image) => image.naturalWidth)');
  expect(drawn).not.toContain(0);
  const again = await page.reload();
  expect(again?.headers()['cache-status']).toContain('porchlight; hit');
  expect(wrong).toEqual([]);
});
