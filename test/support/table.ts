export type Cell = string | number | undefined;

function text(cell: Cell): string {
  return cell === undefined ? '-' : typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}

/** Lays out rows under a head; the first column is left-aligned, the others right-aligned. */
export function table(head: string[], rows: Cell[][]): string {
  const lines = [head, ...rows.map((row) => head.map((_, i) => text(row[i])))];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const draw = (line: string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [draw(lines[0] ?? []), rule, ...lines.slice(1).map(draw)].map((line) => line.trimEnd()).join('\n');
}
