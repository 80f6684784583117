import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installed, repository, run } from '../../cluster/check/tools.ts';

const wget = installed('wget');
if (wget === undefined) console.log('guard tests do not run: apt-get install wget');

/** The shipped guard against a server that answers as Ollama's /api/ps does. */
describe.runIf(wget !== undefined)('the guard notices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'porchlight-guard-'));
  const file = join(folder, 'metrics.prom');
  let answer = '';
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/api/ps' && answer !== '' ? 200 : 500).end(answer);
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const model = (size: number, vram: number) => ({
    name: 'llama3:8b',
    size,
    digest: 'a',
    details: { parameter_size: '8B', families: ['llama'] },
    expires_at: '2026-11-21T10:00:00Z',
    size_vram: vram,
    context_length: 8192,
  });

  test.each([
    [
      'a model on the GPU',
      JSON.stringify({ models: [model(6_654_289_920, 6_654_289_920)] }),
      [1, 6_654_289_920, 6_654_289_920],
    ],
    ['the CPU fallback', JSON.stringify({ models: [model(6_654_289_920, 0)] }), [1, 6_654_289_920, 0]],
    [
      'two models, one on the CPU',
      JSON.stringify({ models: [model(2e9, 2e9), model(3e9, 0)] }, null, 2),
      [1, 5e9, 2e9],
    ],
    ['no model loaded', '{"models":[]}', [1, 0, 0]],
    ['an engine that answers errors', '', [0, 0, 0]],
  ])('%s', async (_, body, expected) => {
    answer = body;
    const script = join(repository, 'cluster/apps/ollama/scripts/guard.sh');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await run('env', ['ONCE=1', 'sh', script, base, file])).code).toBe(0);
    const metrics = readFileSync(file, 'utf8');
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
    expect(
      ['porchlight_ollama_up', 'porchlight_ollama_model_bytes', 'porchlight_ollama_model_vram_bytes'].map(value),
    ).toEqual(expected);
  });
});
