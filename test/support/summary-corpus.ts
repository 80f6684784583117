import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Thread } from '../../shared/contract/summary.ts';
import { ROOT } from './program.ts';

/** A thread with summaries that people wrote of it. */
const Judged = z.strictObject({ references: z.array(z.string()).min(2).max(3), thread: Thread });
export type Judged = z.infer<typeof Judged>;

/** The threads in `test/summaries/corpus`, by name. */
export async function readCorpus(): Promise<Judged[]> {
  const folder = join(ROOT, 'test/summaries/corpus');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(names.map(async (name) => Judged.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))));
}
