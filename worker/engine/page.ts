import type { FreshnessRule, Route, Upstream } from '../../shared/site.ts';
import type { ClientFacts } from '../policy/forward.ts';
import type { HeaderList } from '../policy/header-list.ts';
import type { Preconditions } from '../policy/validation.ts';
import type { ReadField } from '../policy/vary.ts';

/** A storable request, normalised: all the engine knows of it. */
export interface Page {
  readonly method: 'GET' | 'HEAD';
  readonly route: Route;
  readonly upstream: Upstream;
  readonly key: string;
  /** Path and query as sent to the origin. */
  readonly target: string;
  /** The fields a fill forwards, without validators. Built only when needed. */
  forward(): HeaderList;
  /** A field of the forwarded request: what `Vary` selects by. */
  readonly read: ReadField;
  /** More is forwarded than the key holds, so that responses are told apart by `Vary`. */
  readonly varies: boolean;
  readonly conditions: Preconditions;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly hasAuthorization: boolean;
  readonly hasCookie: boolean;
  readonly onlyIfCached: boolean;
  readonly client: ClientFacts;
}

/** Keeps work alive behind the response (`ctx.waitUntil`). */
export type Keep = (work: Promise<unknown>) => void;

/** The site's rule for a content type, if it has one. */
export function freshnessRule(
  rules: readonly FreshnessRule[],
  contentType: string | undefined,
): FreshnessRule | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return rules.find(
    (rule) => rule.type === type || (rule.type.endsWith('/*') && type.startsWith(rule.type.slice(0, -1))),
  );
}
