import { edgeHealth } from './admin/health.ts';
import type { Edge } from './assemble.ts';
import type { Keep } from './engine/page.ts';

const STYLE = `:root{color-scheme:light dark}body{margin:0 auto;max-width:44rem;padding:2rem 1rem;font:1rem/1.6 system-ui,sans-serif;
background:#fbf8f2;color:#2b2622}h1{font:1.8rem ui-serif,Georgia,serif}dl{display:grid;grid-template-columns:auto 1fr;gap:.5rem 1.5rem}
dt{opacity:.75}dd{margin:0}.dot{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;background:#3b7d4f;margin-right:.5rem}
.bad{background:#b3402e}@media(prefers-color-scheme:dark){body{background:#171412;color:#e9e1d6}}`;

const row = (name: string, good: boolean, text: string): string =>
  `<dt>${name}</dt><dd><span class="dot${good ? '' : ' bad'}" role="img" aria-label="${good ? 'good' : 'bad'}"></span>${text}</dd>`;

/** The status host: what the edge sees, for a person, without a script. */
export async function statusPage(edge: Edge, keep: Keep): Promise<Response> {
  const seen = await edgeHealth(edge, keep);
  const upstreams = Object.entries(seen.upstreams)
    .map(([name, { breaker }]) =>
      row(
        name,
        breaker === 'closed',
        breaker === 'closed' ? 'reachable when last asked' : `breaker ${breaker}: readers get stored pages`,
      ),
    )
    .join('');
  const kib = Math.round(seen.memory.bytes / 1024);
  const title = seen.status === 'ok' ? 'The light is on' : 'The light is on, home is not';
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body><main><h1>${title}</h1><dl>${upstreams}
${row('archive', seen.archive.ok, seen.archive.ok ? 'readable' : 'not readable')}
${row('ledger', seen.ledger.ok, `number ${seen.ledger.seq}, known ${Math.round(seen.ledger.ageMs / 1000)} s ago`)}
${row('memory', true, `${seen.memory.pages} pages, ${kib} KiB in this isolate`)}</dl></main></body></html>\n`;
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  };
  return new Response(html, { headers });
}
