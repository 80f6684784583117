import type { HeaderList } from '../policy/header-list.ts';

export interface Problem {
  /** Seconds. */
  readonly retryAfter: number;
  readonly reason: string;
  readonly requestId: string;
  readonly cacheStatus: string;
}

const WORDS: Readonly<Record<number, readonly [title: string, text: string]>> = {
  404: ['Nothing here', 'There is no page at this address.'],
  421: ['Not this house', 'This server does not answer for that host name.'],
  429: ['One moment', 'Too many requests came from your network in a short time.'],
  502: ['Home answered oddly', 'The server behind this page returned an error, and no earlier copy is kept.'],
  503: ['Nobody home', 'The server behind this page cannot be reached right now, and this page was never stored.'],
  504: ['Home is slow', 'The server behind this page did not answer in time, and no copy is kept.'],
  508: ['Going in circles', 'This request has passed here before; it is not sent round again.'],
};

const STYLE = `:root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;
font:1.1rem/1.6 ui-serif,Georgia,serif;background:#fbf8f2;color:#2b2622}main{max-width:34rem;padding:2rem}
h1{font-size:1.7rem;margin:.6rem 0}p{margin:.6rem 0}code{font:.85rem ui-monospace,monospace;opacity:.75}
svg{width:3.5rem;height:3.5rem}@media(prefers-color-scheme:dark){body{background:#171412;color:#e9e1d6}}`;

const LAMP = `<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
<path d="M24 4v6M14 16h20l-3-6H17zM16 16l2 18h12l2-18M18 38h12"/><circle cx="24" cy="25" r="3" fill="#d8973c" stroke="none"/></svg>`;

/** A plain page for what cannot be answered: never stored, with a time to come back. */
export function problemPage(status: number, problem: Problem, method: string, extra: HeaderList = []): Response {
  const [title, text] = WORDS[status] ?? ['Something went wrong', 'The request could not be answered.'];
  const again =
    status === 508 || status === 404 || status === 421
      ? ''
      : `<p>Please try again in ${problem.retryAfter} second${problem.retryAfter === 1 ? '' : 's'}.</p>`;
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${title}</title><style>${STYLE}</style></head><body><main>${LAMP}<h1>${title}</h1>
<p>${text}</p>${again}<p><code>${status} ${problem.reason} ${problem.requestId}</code></p></main></body></html>\n`;
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'cache-status': problem.cacheStatus,
    'x-request-id': problem.requestId,
  });
  if (status === 503 || status === 429 || status === 504 || status === 502)
    headers.set('retry-after', String(problem.retryAfter));
  for (const [name, value] of extra) headers.set(name, value);
  return new Response(method === 'HEAD' ? null : html, { status, headers });
}
