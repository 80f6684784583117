import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { minifySync } from 'rolldown/utils';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** As new as the bundled runtime allows; the same date as in wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-11-15';

export interface Bundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly meta: Metafile;
}

/** The Worker as one module, as `wrangler deploy` uploads it: what the tests run is what is deployed, byte for byte. */
export async function bundleWorker(): Promise<Bundle> {
  const result = await build({
    entryPoints: [`${ROOT}worker/index.ts`],
    bundle: true,
    minify: true,
    keepNames: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  // Another pass by another minifier takes off three more percent, and what is smaller starts faster.
  const once = result.outputFiles[0]?.text ?? '';
  const { code, errors } = minifySync('worker.js', once, { module: true, compress: {}, mangle: { toplevel: true } });
  if (errors.length > 0) throw new Error(`the bundle cannot be minified: ${errors[0]?.message}`);
  return { code, bytes: Buffer.byteLength(code), gzipBytes: gzipSync(code).byteLength, meta: result.metafile };
}
