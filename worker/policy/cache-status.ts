/** How a request was answered, in the words of RFC 9211. `detail` is always there when the rest does not explain itself. */
export interface CacheOutcome {
  readonly hit?: boolean;
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'stale' | 'partial' | 'request';
  readonly fwdStatus?: number;
  /** Remaining freshness in seconds; negative when stale. */
  readonly ttl?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  readonly detail?: string;
}

const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/;

/** The `Cache-Status` member of this cache. */
export function cacheStatus(outcome: CacheOutcome): string {
  const parts = ['porchlight'];
  if (outcome.hit === true) parts.push('hit');
  if (outcome.fwd !== undefined) parts.push(`fwd=${outcome.fwd}`);
  if (outcome.fwdStatus !== undefined) parts.push(`fwd-status=${outcome.fwdStatus}`);
  if (outcome.ttl !== undefined) parts.push(`ttl=${Math.floor(outcome.ttl)}`);
  if (outcome.stored === true) parts.push('stored');
  if (outcome.collapsed === true) parts.push('collapsed');
  if (outcome.detail !== undefined) {
    parts.push(`detail=${TOKEN.test(outcome.detail) ? outcome.detail : JSON.stringify(outcome.detail)}`);
  }
  return parts.join('; ');
}
