import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** As new as the bundled runtime allows; the same date as in wrangler.toml. */
export const COMPATIBILITY_DATE = '2026-11-15';

export interface Bundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly meta: Metafile;
}

/** The Worker as one module, as `wrangler deploy` would upload it. */
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
  const code = result.outputFiles[0]?.text ?? '';
  return { code, bytes: Buffer.byteLength(code), gzipBytes: gzipSync(code).byteLength, meta: result.metafile };
}
