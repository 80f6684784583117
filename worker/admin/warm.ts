import type { FieldError, Parsed } from './purge-request.ts';

export interface WarmCommand {
  readonly urls: readonly string[];
  readonly sitemap?: string;
}

export const MAX_WARM = 5000;
const CONCURRENCY = 4;
const MAX_SITEMAP_BYTES = 5_000_000;
const PROGRESS_BYTES = 256;

const bad = (field: string, message: string): { ok: false; error: FieldError } => ({
  ok: false,
  error: { code: 'invalid_request', field, message },
});

export function parseWarm(body: unknown): Parsed<WarmCommand> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return bad('', 'The body must be a JSON object.');
  const { urls = [], sitemap, ...rest } = body as { urls?: unknown; sitemap?: unknown };
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined)
    return bad(unknown, `"${unknown}" is not a field of a warm request; known: urls, sitemap.`);
  if (!Array.isArray(urls)) return bad('urls', 'urls must be an array of strings.');
  const wrong = urls.findIndex((url) => typeof url !== 'string' || url === '');
  if (wrong >= 0) return bad(`urls[${wrong}]`, `urls[${wrong}] must be a non-empty string.`);
  if (urls.length > MAX_WARM) return bad('urls', `urls takes at most ${MAX_WARM} items, not ${urls.length}.`);
  if (sitemap !== undefined && (typeof sitemap !== 'string' || sitemap === ''))
    return bad('sitemap', 'sitemap must be a URL or path.');
  if (urls.length === 0 && sitemap === undefined) return bad('', 'Nothing to warm: give urls or a sitemap.');
  return { ok: true, value: { urls: urls as string[], ...(sitemap === undefined ? {} : { sitemap }) } };
}

/** The `<loc>` entries of a sitemap. */
export function sitemapUrls(xml: string): string[] {
  const decode = (text: string): string =>
    text.replace(
      /&(amp|lt|gt|quot|apos);/g,
      (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[name] ?? '',
    );
  return [...xml.matchAll(/<loc>\s*([^<\s]+)\s*<\/loc>/g)].map(([, url = '']) => decode(url)).slice(0, MAX_WARM);
}

export interface WarmResult {
  readonly url: string;
  readonly status: number;
  readonly outcome: string;
}

/** A page being read as a reader would, and when what it brought is in every tier. */
export interface WarmReading {
  readonly response: Promise<Response>;
  /** Resolves once the page is stored; call it after the body was read. Never rejects. */
  stored(): Promise<unknown>;
}

/** Reads one page. undefined when the URL is not a page of this site: strangers' URLs are not fetched. */
export type WarmRead = (url: string) => WarmReading | undefined;

async function warmOne(url: string, read: WarmRead): Promise<WarmResult> {
  try {
    const reading = read(url);
    if (reading === undefined) return { url, status: 0, outcome: 'refused: not a page of this site' };
    const response = await reading.response;
    // A page counts as warm only when all of it arrived and the archive has it: home may go away the next moment.
    await response.arrayBuffer();
    await reading.stored();
    return { url, status: response.status, outcome: response.headers.get('cache-status') ?? '' };
  } catch (error) {
    return { url, status: 0, outcome: error instanceof Error ? error.message : 'failed' };
  }
}

async function collect(command: WarmCommand, read: WarmRead): Promise<string[]> {
  if (command.sitemap === undefined) return [...command.urls];
  const response = await read(command.sitemap)?.response;
  if (response === undefined || !response.ok)
    throw new Error(
      `The sitemap ${command.sitemap} answered ${response?.status ?? 'nothing: it is not a page of this site'}.`,
    );
  const xml = await response.text();
  if (xml.length > MAX_SITEMAP_BYTES) throw new Error(`The sitemap is larger than ${MAX_SITEMAP_BYTES} bytes.`);
  return [...new Set([...command.urls, ...sitemapUrls(xml)])].slice(0, MAX_WARM);
}

/** Warm pages, a few at a time, one NDJSON line each as it is done, and a last line with the sums. */
export function warm(
  command: WarmCommand,
  read: WarmRead,
  clock: () => number,
): { stream: ReadableStream<Uint8Array>; done: Promise<void> } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    undefined,
    { highWaterMark: PROGRESS_BYTES },
    { highWaterMark: PROGRESS_BYTES },
  );
  const writer = writable.getWriter();
  // A caller that goes away does not stop the warming.
  const say = (line: object): void =>
    void writer.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`)).catch(() => undefined);
  const work = async (): Promise<void> => {
    let warmed = 0;
    let failed = 0;
    try {
      const urls = await collect(command, read);
      const queue = urls.values();
      const worker = async (): Promise<void> => {
        for (const url of queue) {
          const started = clock();
          const result = await warmOne(url, read);
          if (result.status >= 200 && result.status < 400) warmed += 1;
          else failed += 1;
          say({ ...result, ms: clock() - started, done: warmed + failed, of: urls.length });
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, worker));
      say({ done: true, warmed, failed });
    } catch (error) {
      say({ done: true, warmed, failed, error: error instanceof Error ? error.message : String(error) });
    } finally {
      await writer.close().catch(() => undefined);
    }
  };
  return { stream: readable, done: work() };
}
