import { html, raw } from 'hono/html';
import type { StatusReport } from '../../shared/contract/status.ts';

/** The status for a person: what is wrong stands first, in words; no script, nothing from elsewhere. */
export function statusPage(report: StatusReport): string {
  const title = { good: 'All is well', degraded: 'Something is wrong', stopping: 'Stopping' }[report.state];
  const dependencies = report.dependencies.toSorted((left, right) => order[left.state] - order[right.state]);
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>${title} · Porchlight bridge</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
<h1 class="${report.state}">${title}</h1>
<p>Version ${report.version}, up for ${duration(report.startedAt, report.now)}. As of <time datetime="${report.now}">${clock(report.now)}</time>.</p>
<h2>Dependencies</h2>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">What it says</th><th scope="col">Last good</th></tr></thead>
<tbody>
${dependencies.map(
  (item) => html`<tr><th scope="row">${item.name}</th><td><span class="state ${item.state}">${item.state}</span></td>
<td>${item.detail}</td><td>${item.lastGoodAt === null ? '–' : `${duration(item.lastGoodAt, report.now)} ago`}</td></tr>
`,
)}
</tbody>
</table>
<h2>Purges on their way</h2>
<table>
<thead><tr><th scope="col">Target</th><th scope="col">Waiting</th><th scope="col">Oldest</th><th scope="col">Attempts</th><th scope="col">Last error</th></tr></thead>
<tbody>
${report.outbox.map(
  (item) => html`<tr><th scope="row">${item.target}</th><td>${item.pending}</td>
<td>${item.pending === 0 ? '–' : span(item.oldestSeconds)}</td><td>${item.attempts}</td><td>${item.error ?? '–'}</td></tr>
`,
)}
</tbody>
</table>
<h2>Rollouts</h2>
${report.rollouts.length === 0 ? html`<p>None seen.</p>` : rollouts(report)}
</main>
</body>
</html>`);
}

function rollouts(report: StatusReport) {
  return html`<table>
<thead><tr><th scope="col">Deployment</th><th scope="col">Decision</th><th scope="col">Why</th><th scope="col">Published</th></tr></thead>
<tbody>
${report.rollouts.map(
  (item) => html`<tr><th scope="row">${item.deployment}</th><td>${item.decision}</td><td>${item.reason}</td>
<td>${item.publishedAt === null ? '–' : `${duration(item.publishedAt, report.now)} ago`}</td></tr>
`,
)}
</tbody>
</table>`;
}

const order = { down: 0, unknown: 1, absent: 2, up: 3 };
const clock = (iso: string) => `${iso.slice(0, 19).replace('T', ' ')} UTC`;
const duration = (from: string, to: string) => span((Date.parse(to) - Date.parse(from)) / 1000);

function span(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

const style = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { margin: 0 0 .25rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
h1::before { content: ''; display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; background: #2da44e; }
h1.degraded::before { background: #cf222e; } h1.stopping::before { background: #bf8700; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: normal; }
thead th { font-size: .85rem; opacity: .75; } tbody th { font-weight: 600; white-space: nowrap; }
.state { padding: .05rem .5rem; border-radius: 1rem; border: 1px solid; white-space: nowrap; }
.up { color: #1a7f37; } .down { color: #cf222e; } .absent, .unknown { opacity: .75; }
@media (prefers-color-scheme: dark) { .up { color: #4ac26b; } .down { color: #ff8182; } }
`;
