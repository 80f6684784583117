import { type JsonMap, map, text } from './manifest.ts';

/** A key of a Secret ("namespace/name") that contradicts another one. */
export interface Contradiction {
  readonly name: string;
  readonly key: string;
  readonly message: string;
}

/** Which role each place logs in as; its password is `web/database-roles`' key of that name. */
const LOGINS: readonly (readonly [name: string, key: string, role: string])[] = [
  ['web/bridge-env', 'DATABASE_URL', 'bridge'],
  ['web/bridge-env', 'COMMENTS_DATABASE_URL', 'comments'],
];
const POOLED = ['blog', 'bridge', 'comments', 'dagster'];
/** One value in two namespaces, because a pod reads Secrets of its own namespace only. */
const COPIES: readonly (readonly [copy: string, key: string, name: string, key: string])[] = [
  ['orchestrator/dagster-postgres', 'postgresql-password', 'web/database-roles', 'dagster'],
  ['flux-system/bridge-hook', 'token', 'web/bridge-env', 'FLUX_HMAC_KEY'],
];

/** The user and the password of a URL. */
function login(url: string): string {
  if (!URL.canParse(url)) return '';
  const { username, password } = new URL(url);
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/** Where values that must be the same differ. What is absent is another check's matter. */
export function contradictions(values: JsonMap): Contradiction[] {
  const value = (name: string, key: string): string => text(map(values[name])[key]);
  const password = (role: string): string => value('web/database-roles', role);
  const found: Contradiction[] = [];
  for (const [name, key, role] of LOGINS) {
    if (value(name, key) !== '' && login(value(name, key)) !== `${role}:${password(role)}`)
      found.push({ name, key, message: `is not the role ${role} with its password of web/database-roles` });
  }
  const users = value('web/pgbouncer-auth', 'userlist.txt');
  for (const role of users === '' ? [] : POOLED) {
    if (!users.split('\n').includes(`"${role}" "${password(role)}"`))
      found.push({
        name: 'web/pgbouncer-auth',
        key: 'userlist.txt',
        message: `lacks the role ${role} with its password of web/database-roles`,
      });
  }
  for (const [name, key, original, originalKey] of COPIES) {
    if (value(name, key) !== '' && value(name, key) !== value(original, originalKey))
      found.push({ name, key, message: `is not the same as ${originalKey} of ${original}` });
  }
  return found;
}
