import { access, type RouteAccess } from '../../shared/contract/access.ts';

/** A template's parameters stand for one segment each. */
function fits(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part === given[at] || (part.startsWith('{') && given[at] !== ''))
  );
}

export type ApiRoute =
  | { readonly kind: 'route'; readonly route: RouteAccess }
  | {
      readonly kind: 'none';
      readonly problem: {
        readonly status: number;
        readonly code: string;
        readonly message: string;
        readonly headers?: Readonly<Record<string, string>>;
      };
    };

const UNKNOWN: ApiRoute = {
  kind: 'none',
  problem: { status: 404, code: 'no-such-route', message: 'No such route: see /openapi.json.' },
};

/** Which route of the bridge's contract a request means. HEAD is GET without its body (RFC 9110 §9.3.2). */
export function apiRoute(method: string, path: string): ApiRoute {
  const here: readonly RouteAccess[] = Object.values(access).filter((one) => fits(one.path, path));
  const [first] = here;
  if (first === undefined) return UNKNOWN;
  const asked = method === 'HEAD' ? 'GET' : method;
  const route = here.find((one) => one.method === asked);
  if (route !== undefined) return { kind: 'route', route };
  // A browser asks before it may send: whether it may is for what stands before the bridge to say.
  if (method === 'OPTIONS') return { kind: 'route', route: { ...first, callers: ['anyone'], bodyMaxBytes: 0 } };
  const allow = here.map((one) => (one.method === 'GET' ? 'GET, HEAD' : one.method)).join(', ');
  const problem = { status: 405, code: 'no-such-method', message: `This route takes ${allow}.`, headers: { allow } };
  return { kind: 'none', problem };
}
