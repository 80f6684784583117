import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMPATIBILITY_DATE, ROOT } from '../../local/bundle.ts';
import { everyNode, type Node, parseSource } from '../architecture/source.ts';
import { startProgram } from '../support/program.ts';

const MAX_GZIP_KIB = 40;
const DEADLINE_MS = 120_000;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porchlight-wrangler-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'wrangler would deploy it, at no more than 40 KiB gzipped',
  async () => {
    const args = ['deploy', '--dry-run', '--outdir', join(folder, 'out')];
    // Its logs and its account settings stay out of the home folder, and it tells nobody.
    const env = { XDG_CONFIG_HOME: folder, WRANGLER_LOG_PATH: folder, WRANGLER_SEND_METRICS: 'false', CI: 'true' };
    const wrangler = startProgram('wrangler', args, { env });
    try {
      const code = await wrangler.exited;
      expect({ code, logs: code === 0 ? '' : wrangler.logs() }).toEqual({ code: 0, logs: '' });
      const size = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(wrangler.logs());
      console.log(`wrangler deploy --dry-run: ${size?.[0]} (at most ${MAX_GZIP_KIB} KiB gzipped)`);
      expect(Number(size?.[2])).toBeGreaterThan(1);
      expect(Number(size?.[2])).toBeLessThanOrEqual(MAX_GZIP_KIB);
      expect(wrangler.logs()).not.toMatch(/WARNING|ERROR/);
      expect((await readdir(join(folder, 'out'))).some((name) => name.endsWith('.js'))).toBe(true);
    } finally {
      await wrangler.stop();
    }
  },
  DEADLINE_MS,
);

/** Fields of the Worker's environment, and whether it can do without them. */
function environment(tree: Node): Map<string, boolean> {
  const edgeEnv = [...everyNode(tree)].find(
    (node) => node.type === 'TSInterfaceDeclaration' && (node.id as Node).name === 'EdgeEnv',
  );
  const fields = [...everyNode(edgeEnv ?? tree)].filter(({ type }) => type === 'TSPropertySignature');
  return new Map(fields.map((field) => [String((field.key as Node).name), field.optional === true]));
}

describe('wrangler.toml', async () => {
  const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
  const path = 'worker/config.ts';
  const env = environment(parseSource(path, await readFile(join(ROOT, path), 'utf8')).tree);
  const effective = toml.replace(/^\s*#.*$/gm, '');
  const names = (text: string): string[] =>
    [...text.matchAll(/^(?:(?:binding|name) = "([A-Z_]+)"|([A-Z][A-Z_]+) = )/gm)].map(([, a, b]) => a ?? b ?? '');

  test('the Worker runs at the date that is tested locally', () => {
    expect(/^compatibility_date = "(.+)"$/m.exec(toml)?.[1]).toBe(COMPATIBILITY_DATE);
  });

  test('binds whatever the Worker cannot do without', () => {
    const needed = [...env].filter(([, optional]) => !optional).map(([name]) => name);
    expect(needed).toEqual(['ARCHIVE', 'LEDGER']);
    expect(names(effective)).toEqual(expect.arrayContaining([...needed, 'BLOG_ORIGIN']));
  });

  test('names every binding, variable and secret the Worker reads, if only in a comment', () => {
    const words = new Set(toml.match(/\b[A-Z][A-Z_]+\b/g));
    expect([...env.keys()].filter((name) => !words.has(name))).toEqual([]);
  });

  test('sets nothing the Worker does not read', () => {
    expect(names(effective).filter((name) => !env.has(name))).toEqual([]);
    expect(names(effective).length).toBeGreaterThan(8);
  });

  test('holds no secret', () => {
    const secrets = ['EDGE_TOKEN', 'ACCESS_CLIENT_ID', 'ACCESS_CLIENT_SECRET'];
    expect(names(effective).filter((name) => secrets.includes(name))).toEqual([]);
  });
});
