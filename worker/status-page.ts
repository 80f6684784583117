import { type EdgeHealth, edgeHealth } from './admin/health.ts';
import type { Edge } from './assemble.ts';
import type { Keep } from './engine/page.ts';
import { DAY_MS, HOUR_MS } from './policy/uptime.ts';
import { type Chart, uptimeChart } from './status-chart.ts';

const STYLE = `:root{color-scheme:light dark;--bg:#fbf8f2;--fg:#2b2622;--soft:#6b625a;--line:#e4dccf;--up:#3b7d4f;--down:#b3402e}
@media(prefers-color-scheme:dark){:root{--bg:#171412;--fg:#e9e1d6;--soft:#a89d90;--line:#3a332d;--up:#5aa873;--down:#e0705c}}
body{margin:0 auto;max-width:46rem;padding:2.5rem 1.25rem;font:1rem/1.55 system-ui,sans-serif;background:var(--bg);color:var(--fg)}
h1{font:2rem/1.2 ui-serif,Georgia,serif;margin:0 0 .3rem}h2{font:1.2rem ui-serif,Georgia,serif;margin:0}
p{margin:0;color:var(--soft)}section{border-top:1px solid var(--line);margin-top:1.75rem;padding-top:1.5rem}
header,figcaption,.head{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.1rem 1rem;align-items:baseline}
header{display:block}figure{margin:1rem 0 0}svg{display:block;width:100%;height:2.4rem}
figcaption,.key,.head span{font-size:.85rem;color:var(--soft);font-variant-numeric:tabular-nums}figcaption{margin-top:.35rem}
.up{fill:var(--up);background:var(--up)}.down{fill:var(--down);background:var(--down)}.none{fill:var(--soft);background:var(--soft);opacity:.45}
dl{display:grid;grid-template-columns:auto 1fr;gap:.45rem 1.5rem;margin:0}dt{color:var(--soft)}dd{margin:0}
i{display:inline-block;width:.65rem;height:.65rem;border-radius:50%;margin-right:.5rem}.key i{border-radius:2px;margin-left:1rem}.key i:first-child{margin-left:0}.key{margin-top:1.25rem}`;

const iso = (at: number): string => new Date(at).toISOString();
const CHARTS: readonly Chart[] = [
  {
    caption: 'Last 48 hours',
    lengthMs: HOUR_MS,
    count: 48,
    label: (at) => `${iso(at).slice(0, 10)} ${iso(at).slice(11, 16)} UTC`,
  },
  { caption: 'Last 90 days', lengthMs: DAY_MS, count: 90, label: (at) => iso(at).slice(0, 10) },
];

/** What is known of something: what nobody asked is not said to be good. */
const STATES = {
  up: ['good', 'up'],
  down: ['bad', 'away'],
  none: ['no data', 'not asked lately'],
} as const;
const dot = (kind: keyof typeof STATES): string => `<i class="${kind}" role="img" aria-label="${STATES[kind][0]}"></i>`;
const row = (name: string, good: boolean, text: string): string =>
  `<dt>${name}</dt><dd>${dot(good ? 'up' : 'down')}${text}</dd>`;

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3_600)} h ago`;
}

function upstream(name: string, seen: EdgeHealth, now: number): string {
  const breaker = seen.upstreams[name]?.breaker ?? 'closed';
  const history = seen.history[name];
  const last = history?.last;
  const lastUp = last === undefined || last.up > last.down;
  const seenUp = last === undefined ? 'none' : 'up';
  const kind = breaker === 'closed' && lastUp ? seenUp : 'down';
  const said =
    last === undefined ? '' : `${last.said}${lastUp ? `, ${Math.round(last.ms)} ms` : ''}, ${ago(now - last.at)}`;
  const charts = CHARTS.map((chart) =>
    uptimeChart((chart.lengthMs === HOUR_MS ? history?.hours : history?.days) ?? [], chart, now),
  );
  return `<section><div class="head"><h2>${dot(kind)}${name}: <small>${STATES[kind][1]}</small></h2><span>${said}</span></div>${charts.join('')}</section>`;
}

/** The page of `seen`, for a person, without a script. */
export function statusHtml(seen: EdgeHealth, now: number): string {
  const kib = Math.round(seen.memory.bytes / 1024);
  const title = seen.status === 'ok' ? 'The light is on' : 'The light is on, home is not';
  const upstreams = Object.keys(seen.upstreams).map((name) => upstream(name, seen, now));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body><main><header><h1>${title}</h1><p>What the edge sees of home, from outside, in minutes that anyone looked.</p></header>
${upstreams.join('\n')}
<p class="key"><i class="up"></i>up<i class="down"></i>down<i class="none"></i>no data: nobody looked</p>
<section><dl>${row('archive', seen.archive.ok, seen.archive.ok ? 'readable' : 'not readable')}
${row('ledger', seen.ledger.ok, `number ${seen.ledger.seq}, known ${Math.round(seen.ledger.ageMs / 1000)} s ago`)}
${row('memory', true, `${seen.memory.pages} pages, ${kib} KiB in this isolate`)}</dl></section></main></body></html>\n`;
}

/** The status host. */
export async function statusPage(edge: Edge, keep: Keep): Promise<Response> {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  };
  return new Response(statusHtml(await edgeHealth(edge, keep), edge.deps.clock()), { headers });
}
