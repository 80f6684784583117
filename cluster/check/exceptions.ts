import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Finding } from './manifest.ts';

/** One allowed deviation: what, where, and why it is right. */
export interface Exception {
  readonly rule: string;
  readonly object: string;
  readonly why: string;
}

export function readExceptions(file: URL = new URL('data/exceptions.yaml', import.meta.url)): Exception[] {
  const entries = parse(readFileSync(file, 'utf8')) as Exception[];
  const bare = entries.find((entry) => entry.why === undefined || entry.why.length < 20);
  if (bare !== undefined)
    throw new Error(`data/exceptions.yaml: ${bare.rule} for ${bare.object} gives no reason; write why it is right`);
  return entries;
}

/** Drops what is excepted and reports exceptions that except nothing any more. */
export function applyExceptions(findings: readonly Finding[], exceptions: readonly Exception[]): Finding[] {
  const used = new Set<Exception>();
  const kept = findings.filter((finding) => {
    const exception = exceptions.find((entry) => entry.rule === finding.rule && entry.object === finding.object);
    if (exception !== undefined) used.add(exception);
    return exception === undefined;
  });
  const stale = exceptions
    .filter((entry) => !used.has(entry))
    .map((entry) => ({
      rule: 'stale-exception',
      file: 'cluster/check/data/exceptions.yaml',
      object: entry.object,
      field: entry.rule,
      message: 'excepts nothing any more; remove it',
    }));
  return [...kept, ...stale];
}
