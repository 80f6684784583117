import { mkdir, writeFile } from 'node:fs/promises';
import { bundleWorker, ROOT } from './bundle.ts';

/** Workers must stay small to start fast; what `wrangler deploy` uploads, gzipped, may not pass this. */
const MAX_GZIP_KIB = 40;

const bundle = await bundleWorker();
await mkdir(`${ROOT}.cache/build`, { recursive: true });
// Alone in its folder: wrangler takes every module beside the main one for a part of it.
await mkdir(`${ROOT}.cache/deploy`, { recursive: true });
await writeFile(`${ROOT}.cache/deploy/worker.js`, bundle.code);
await writeFile(`${ROOT}.cache/build/meta.json`, JSON.stringify({ bytes: bundle.bytes, gzipBytes: bundle.gzipBytes }));
const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`worker: ${kib(bundle.bytes)}, ${kib(bundle.gzipBytes)} gzipped (at most ${MAX_GZIP_KIB} KiB)`);
if (bundle.gzipBytes > MAX_GZIP_KIB * 1024) {
  const largest = Object.entries(bundle.meta.inputs).sort(([, a], [, b]) => b.bytes - a.bytes);
  console.error('The Worker is too large. Its largest sources:');
  for (const [file, { bytes }] of largest.slice(0, 8)) console.error(`  ${file}: ${kib(bytes)}`);
  process.exitCode = 1;
}
