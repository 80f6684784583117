import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';

/** `node peer-host.ts --script FILE --port N [--env NAME=VALUE]...`: one Worker in a workerd of its own. */
const { values } = parseArgs({
  options: {
    script: { type: 'string' },
    port: { type: 'string' },
    env: { type: 'string', multiple: true, default: [] },
  },
});
if (values.script === undefined || values.port === undefined) throw new Error('--script and --port are needed');

const bundle = await build({
  entryPoints: [values.script],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2024',
  conditions: ['workerd', 'worker', 'browser'],
  write: false,
  logLevel: 'error',
});
const contents = bundle.outputFiles[0]?.text ?? '';
const env = Object.fromEntries(
  values.env.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), { type: 'text' as const, value: pair.slice(at + 1) }];
  }),
);
const miniflare = new Miniflare({
  workers: [
    {
      config: {
        name: 'peer',
        compatibilityDate: '2026-10-01',
        manifest: { mainModule: 'peer.js', modulesRoot: '/', modules: { 'peer.js': { type: 'esm', contents } } },
        env,
      },
      dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: Number(values.port) }] },
    },
  ],
});
await miniflare.ready;
process.once('SIGTERM', () => void miniflare.dispose().then(() => process.exit(0)));
