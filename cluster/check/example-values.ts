import type { JsonMap } from './manifest.ts';

const password = (of: string): string => `example-password-of-${of}`;
const url = (role: string, database: string): string =>
  `postgres://${role}:${password(role)}@pgbouncer.web.svc:5432/${database}`;
const ROLES = ['blog', 'bridge', 'comments', 'dagster', 'exporter'];

/**
 * Values for every Secret of data/secrets.yaml, in the form of an operator's values file. Public on purpose: they show
 * what each value looks like, and let a sealed file be opened, and its Secrets be compared, in a test.
 */
export const exampleValues: JsonMap = {
  'web/postgres-auth': { POSTGRES_PASSWORD: password('postgres') },
  'web/database-roles': Object.fromEntries(ROLES.map((role) => [role, password(role)])),
  'web/pgbouncer-auth': {
    'userlist.txt': [...ROLES.filter((role) => role !== 'exporter'), 'pgbouncer']
      .map((role) => `"${role}" "${password(role)}"`)
      .join('\n'),
    EXPORTER_URL: `postgres://pgbouncer:${password('pgbouncer')}@127.0.0.1:5432/pgbouncer?sslmode=disable`,
  },
  'web/bridge-env': {
    DATABASE_URL: url('bridge', 'bridge'),
    COMMENTS_DATABASE_URL: url('comments', 'blog'),
    BRIDGE_TOKENS: 'publisher:example-bridge-token',
    EDGE_TOKEN: 'example-edge-token',
    FLUX_HMAC_KEY: 'example-flux-hmac-key',
    // A zone's id is 32 hexadecimal digits; the bridge refuses anything else.
    CLOUDFLARE_ZONE_ID: '0'.repeat(32),
    CLOUDFLARE_API_TOKEN: 'example-cloudflare-api-token',
  },
  'web/offsite-ssh': { id_ed25519: 'example-private-key', known_hosts: 'example-known-hosts' },
  'monitoring/gotify': {
    password: password('gotify'),
    token: 'example-application-token',
    'dead-man-url': 'https://dead-man.porchlight.example/example',
  },
  'monitoring/grafana-admin': { user: 'example-user', password: password('grafana') },
  // htpasswd's format; this hash belongs to no password.
  'monitoring/grafana-door': { users: 'example:$2y$05$example' },
  'cert-manager/cloudflare-dns': { 'api-token': 'example-cloudflare-api-token' },
  'cloudflared/tunnel-credentials': { 'credentials.json': '{"example": true}' },
  'orchestrator/dagster-postgres': { 'postgresql-password': password('dagster') },
  'flux-system/receiver-token': { token: 'example-receiver-token' },
  // The same as the bridge's FLUX_HMAC_KEY.
  'flux-system/bridge-hook': { token: 'example-flux-hmac-key' },
};
