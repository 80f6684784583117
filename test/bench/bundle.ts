import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT, startProgram } from '../support/program.ts';
import { type Scenario, UNMEASURED } from './scenario.ts';
import { round } from './stats.ts';

const LIMIT_KIB = 40;

/** The scripts that `npm run build` leaves in `.cache/build`, source maps and metadata aside. */
async function scripts(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.m?js$/.test(name)).map((name) => join(folder, name));
}

/** Size of the Worker as it is uploaded, raw and as the platform counts it, gzipped. */
export const bundle: Scenario = async (bench) => {
  const build = startProgram('node', ['local/build.ts'], {});
  const code = await build.exited;
  const files = code === 0 ? await scripts(join(ROOT, '.cache', 'build')) : [];
  if (files.length === 0) bench.note(`no bundle to measure: ${build.logs().trim().split('\n').slice(-3).join(' ')}`);
  const data = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      const name = file.slice(ROOT.length);
      return { file: name, rawKiB: round(bytes.length / 1024, 1), gzipKiB: round(gzipSync(bytes).length / 1024, 1) };
    }),
  );
  const total = data.reduce((sum, f) => sum + f.gzipKiB, 0);
  const measured = data.length === 0 ? UNMEASURED : `${round(total, 1)} KiB`;
  const met = data.length > 0 && total <= LIMIT_KIB;
  return {
    title: 'Bundle',
    tables: [{ head: ['file', 'KiB', 'gzip KiB'], rows: data.map((f) => [f.file, f.rawKiB, f.gzipKiB]) }],
    goals: [{ what: 'Worker, gzip', goal: `at most ${LIMIT_KIB} KiB`, measured, met }],
    data,
  };
};
