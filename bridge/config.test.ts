import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

const errorsOf = (env: Record<string, string>, argv: string[] = []) => {
  const read = readConfig(argv, env);
  return read.ok ? [] : read.errors;
};

test('nothing set is a working laptop', () => {
  const read = readConfig([], {});
  expect(read).toMatchObject({
    ok: true,
    config: {
      host: '127.0.0.1',
      port: 8788,
      databaseUrl: null,
      tokens: [],
      edge: null,
      kubernetes: null,
      google: null,
      summaries: {
        model: 'llama3.2:3b',
        contextTokens: 8192,
        allowCpu: false,
        queueMax: 100,
        slots: 1,
        commentsDatabaseUrl: null,
      },
    },
  });
});

test('everything set', () => {
  const read = readConfig(['--port', '9000', '--data', '/data'], {
    BRIDGE_TOKENS: 'ci:0123456789abcdef, fn:fedcba9876543210',
    EDGE_URL: 'http://127.0.0.1:8787/',
    EDGE_TOKEN: 'first-example,second-example',
    PUBLIC_URL: 'https://blog.example, https://www.blog.example:8443/',
    DATABASE_URL: 'postgres://bridge:pw@pgbouncer/bridge',
    CLOUDFLARE_ZONE_ID: '0'.repeat(32),
    CLOUDFLARE_API_TOKEN: 'zone-example',
    OIDC_AUDIENCE: 'https://api.blog.example',
    OIDC_ALLOWED_EMAILS: 'a@b.example',
    ACCESS_TEAM_DOMAIN: 'team.cloudflareaccess.com',
    ACCESS_AUD: 'aud',
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
  });
  expect(read).toMatchObject({
    ok: true,
    config: {
      host: '0.0.0.0',
      port: 9000,
      dataDirectory: '/data',
      edge: { url: 'http://127.0.0.1:8787', token: 'first-example' },
      publicHosts: ['blog.example', 'www.blog.example:8443'],
      cloudflare: { apiUrl: 'https://api.cloudflare.com/client/v4', perMinute: 5 },
      google: { issuer: ['https://accounts.google.com'] },
      access: { issuer: ['https://team.cloudflareaccess.com'] },
      kubernetes: { kubeconfig: null, namespace: null },
    },
  });
});

describe('errors', () => {
  test.each<[string, Record<string, string>, string[], RegExp]>([
    ['port', {}, ['--port', '70000'], /--port: "70000"/],
    ['unknown argument', {}, ['--prot', '1'], /--prot.*known are --port and --data/],
    ['token without name', { BRIDGE_TOKENS: '0123456789abcdef' }, [], /entry 1 is not name:token/],
    ['short token', { BRIDGE_TOKENS: 'ci:short' }, [], /token of ci is shorter/],
    ['unusable token', { BRIDGE_TOKENS: 'ci:0123456789 abcdef' }, [], /characters a bearer token cannot have/],
    ['name twice', { BRIDGE_TOKENS: 'ci:0123456789abcdef,ci:fedcba9876543210' }, [], /stands twice/],
    ['edge without token', { EDGE_URL: 'http://edge' }, [], /EDGE_TOKEN: needed/],
    ['half of Cloudflare', { CLOUDFLARE_API_TOKEN: 'x' }, [], /set both or neither/],
    ['audience without list', { OIDC_AUDIENCE: 'x' }, [], /anyone can obtain a signed token/],
    ['list without audience', { OIDC_ALLOWED_EMAILS: 'a@b' }, [], /must not open this one/],
    ['Access without audience', { ACCESS_TEAM_DOMAIN: 'team' }, [], /ACCESS_AUD: needed/],
    ['database', { DATABASE_URL: 'mysql://root:hunter2@db' }, [], /DATABASE_URL: not a URL that starts with postgres/],
    ['short key', { FLUX_HMAC_KEY: 'short' }, [], /FLUX_HMAC_KEY: shorter/],
    ['model', { OLLAMA_MODEL: 'no such; model' }, [], /OLLAMA_MODEL: not a name such as/],
    ['context', { OLLAMA_CONTEXT: '512' }, [], /OLLAMA_CONTEXT: "512" is not a whole number from 2048/],
    ['CPU', { OLLAMA_ALLOW_CPU: 'perhaps' }, [], /OLLAMA_ALLOW_CPU: "perhaps" is not one of/],
    ['queue', { SUMMARY_QUEUE_MAX: '0' }, [], /SUMMARY_QUEUE_MAX: "0" is not a whole number/],
    ['slots', { SUMMARY_SLOTS: 'two' }, [], /SUMMARY_SLOTS: "two" is not a whole number/],
    [
      'comments',
      { COMMENTS_DATABASE_URL: 'sqlite:x' },
      [],
      /COMMENTS_DATABASE_URL: not a URL that starts with postgres/,
    ],
    ['log level', { LOG_LEVEL: 'loud' }, [], /LOG_LEVEL: "loud" is not one of/],
  ])('%s', (_name, env, argv, expected) => {
    expect(errorsOf(env, argv).join('\n')).toMatch(expected);
  });

  test('all at once, and no secret among them', () => {
    const errors = errorsOf({
      DATABASE_URL: 'mysql://root:hunter2@db',
      BRIDGE_TOKENS: 'ci:hunter2',
      EDGE_URL: 'nonsense',
      LOG_LEVEL: 'loud',
    });
    expect(errors).toHaveLength(4);
    expect(errors.join()).not.toContain('hunter2');
  });
});
