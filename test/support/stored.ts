import type { Lifetime } from '../../worker/policy/freshness.ts';
import type { StoredMeta, StoredResponse } from '../../worker/policy/stored.ts';
import { NO_SELECTION } from '../../worker/policy/vary.ts';
import { exchange } from './times.ts';

/** Fresh for a minute, nothing said about stale uses. */
export const MINUTE: Lifetime = {
  fresh: 60,
  from: 'max-age',
  whileRevalidate: 0,
  ifError: 0,
  always: false,
  noStale: false,
};

/** A stored page, received at `NOW`; whatever a test cares about is given. */
export function storedMeta(given: Partial<StoredMeta> = {}): StoredMeta {
  return {
    key: 'blog:/',
    selection: NO_SELECTION,
    status: 200,
    headers: [['content-type', 'text/html']],
    initialAge: 0,
    responseTime: exchange.responseTime,
    lifetime: MINUTE,
    validators: {},
    tags: [],
    seq: 0,
    bodyHash: '',
    ...given,
  };
}

export function storedResponse(given: Partial<StoredResponse> = {}): StoredResponse {
  const { body = new TextEncoder().encode('hello'), ...meta } = given;
  return { ...storedMeta(meta), body };
}
