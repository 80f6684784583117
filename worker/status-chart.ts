import { type Bar, bars, type Span, uptime } from './policy/uptime.ts';

/** Height of a bar, and of what stands for "nobody looked"; units of the drawing. */
const HEIGHT = 40;
const GAP_HEIGHT = 3;
const STEP = 10;

const percent = (share: number): string => `${share === 1 ? '100' : (Math.floor(share * 1000) / 10).toFixed(1)} %`;

/** A share of an hour or a day that can still be seen as a bar. */
const visible = (share: number): number => (share === 0 ? 0 : Math.max(0.15, share));

function rect(kind: string, index: number, top: number, height: number, title = ''): string {
  return `<rect class="${kind}" x="${index * STEP + 1}" y="${top}" width="${STEP - 2}" height="${height}">${title}</rect>`;
}

function bar({ at, span }: Bar, index: number, label: (at: number) => string): string {
  const when = label(at);
  const seen = span && uptime([span]);
  if (span === undefined || seen === undefined)
    return rect('none', index, HEIGHT - GAP_HEIGHT, GAP_HEIGHT, `<title>${when}: no data</title>`);
  const { up, down, ms, failure } = span;
  const said = [`up ${up} min`, ...(down > 0 ? [`down ${down} min${failure ? ` (${failure})` : ''}`] : []), `${ms} ms`];
  const title = `<title>${when}: ${said.join(', ')}</title>`;
  const lost = Math.round(visible(1 - seen.share) * HEIGHT);
  const good = lost === HEIGHT ? '' : rect('up', index, 0, HEIGHT - lost, title);
  return good + (lost === 0 ? '' : rect('down', index, HEIGHT - lost, lost, title));
}

export interface Chart {
  readonly caption: string;
  readonly lengthMs: number;
  readonly count: number;
  readonly label: (at: number) => string;
}

/** Uptime bars as SVG, drawn from left (past) to right (now); what nobody observed is shown as a gap, not as uptime. */
export function uptimeChart(spans: readonly Span[], { caption, lengthMs, count, label }: Chart, now: number): string {
  const drawn = bars(spans, lengthMs, count, now);
  const seen = uptime(drawn.flatMap(({ span }) => span ?? []));
  const words =
    seen === undefined
      ? 'no data yet'
      : `up ${percent(seen.share)} of ${seen.minutes.toLocaleString('en')} minute${seen.minutes === 1 ? '' : 's'} observed`;
  const body = drawn.map((one, index) => bar(one, index, label)).join('');
  return `<figure><svg viewBox="0 0 ${count * STEP} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${caption}: ${words}">${body}</svg>
<figcaption><span>${caption}</span><span>${words}</span></figcaption></figure>`;
}
