import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const read = (argv: string[], env: Record<string, string> = {}) =>
  readConfig({ argv, env, defaultContentDir: '/content', isDirectory: (path) => path !== '/missing' });

it('has a default for everything', () => {
  expect(read([])).toEqual({
    ok: true,
    config: { port: 3000, host: '0.0.0.0', contentDir: '/content', baseUrl: 'http://localhost:8787', drainMs: 5_000 },
  });
});

it('takes flags and environment', () => {
  const env = { BASE_URL: 'https://blog.example.org/', GIT_COMMIT: 'abc', DRAIN_SECONDS: '0', HOST: '::' };
  expect(read(['--port', '0', '--content=/posts', '--host', '127.0.0.1'], env)).toEqual({
    ok: true,
    config: {
      port: 0,
      host: '127.0.0.1',
      contentDir: '/posts',
      baseUrl: 'https://blog.example.org',
      drainMs: 0,
      commit: 'abc',
    },
  });
});

describe('says what is wrong and what to do', () => {
  it.each([
    ['--port', ['--port', '70000'], {}, '--port: "70000" is not a whole number from 0 to 65535'],
    ['a negative port', ['--port=-1'], {}, '--port: "-1" is not a whole number'],
    ['a flag without value', ['--content'], {}, '--content: needs a value'],
    ['an unknown flag', ['--prot', '1'], {}, '--prot: unknown; the options are --port, --host, --content'],
    ['a stray word', ['3000'], {}, '"3000": not an option'],
    ['a missing directory', ['--content', '/missing'], {}, '--content: /missing is not a directory'],
    [
      'a base with a path',
      [],
      { BASE_URL: 'https://x.example/blog' },
      'BASE_URL: "https://x.example/blog" is not an origin',
    ],
    ['a base of another kind', [], { BASE_URL: 'ftp://x.example' }, 'BASE_URL: "ftp://x.example" is not an origin'],
    ['a base with a password', [], { BASE_URL: 'https://a:b@x.example' }, 'is not an origin'],
    ['no base at all', [], { BASE_URL: '' }, 'BASE_URL: "" is not an origin'],
    ['a bad drain time', [], { DRAIN_SECONDS: '1.5' }, 'DRAIN_SECONDS: "1.5" is not a whole number from 0 to 300'],
  ])('%s', (_, argv, env, message) => {
    const result = read(argv, env as Record<string, string>);
    expect(result.ok ? '' : result.errors.join('\n')).toContain(message);
  });

  it('all at once', () => {
    const result = read(['--port', 'x', '--content', '/missing'], { BASE_URL: 'x', DRAIN_SECONDS: 'x' });
    expect(result.ok ? [] : result.errors).toHaveLength(4);
  });
});
