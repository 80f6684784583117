import { type Cell, table } from '../support/table.ts';
import { accepted, type Judgement, passes, tally, type Verdict } from './judge.ts';

export interface Column {
  name: string;
  verdicts: Verdict[];
}

function cell(verdicts: Verdict[]): string {
  const { required, optional } = tally(verdicts);
  return `${required.passed} + ${optional.passed}`;
}

/** Tests passed per group, "required + optional"; a group's own numbers are in its first column. */
export function groupTable(columns: Column[]): string {
  const first = columns[0]?.verdicts ?? [];
  const groups = [...new Set(first.map((v) => v.group))];
  const row = (label: string, pick: (v: Verdict) => boolean): Cell[] => {
    const { required, optional } = tally(first.filter(pick));
    return [
      label,
      `${required.total} + ${optional.total}`,
      ...columns.map((column) => cell(column.verdicts.filter(pick))),
    ];
  };
  const rows = groups.map((group) => row(group, (v) => v.group === group));
  rows.push(row('all', () => true));
  return table(['required + optional tests passed', 'tests', ...columns.map((c) => c.name)], rows);
}

function line(verdict: Verdict, others: Column[]): string {
  const passing = others.filter((o) => o.verdicts.some((v) => v.id === verdict.id && passes(v))).length;
  const peers = others.length === 0 ? '' : ` (passes in ${passing} of ${others.length} others)`;
  return `  ${verdict.kind} ${verdict.id}: ${verdict.outcome}${peers}\n    ${verdict.message ?? verdict.name}`;
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** Everything a reader needs to know after the table. */
export function judgementText(judgement: Judgement, others: Column[]): string {
  return [
    ...section(
      'Known deviations:',
      judgement.known.map(({ verdict, deviation }) => {
        return `  ${verdict.kind} ${verdict.id}: ${deviation.reason} (${deviation.anchor})`;
      }),
    ),
    ...section(
      'Missed, and not listed in deviations.ts:',
      judgement.unknown.map((v) => line(v, others)),
    ),
    ...section(
      'Listed in deviations.ts, but not missed (remove the entry):',
      judgement.stale.map((d) => `  ${d.kind} ${d.id}`),
    ),
    ...section(
      'Too few:',
      judgement.short.map((s) => `  ${s}`),
    ),
    '',
    accepted(judgement) ? 'Conformance: as declared.' : 'Conformance: FAILED.',
  ].join('\n');
}
