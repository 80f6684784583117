import type { Refused } from '../http/errors.ts';

/** Every way a request about summaries is refused, in its one shape. */

export const noComments: Refused = {
  status: 409,
  code: 'no-comments',
  message: 'Every comment of the request was edited or removed meanwhile: send the thread as it is now.',
};

export function overloaded(reason: 'full' | 'caller-full', retryAfterMs: number): Refused {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  return reason === 'full'
    ? { status: 503, code: 'queue-full', message: 'Too much waits for the model already: try again.', headers }
    : { status: 429, code: 'too-many-waiting', message: 'Too much of this caller waits already: try again.', headers };
}

export const storeAway = (message: string): Refused => ({
  status: 503,
  code: 'store-unavailable',
  message,
  headers: { 'retry-after': '2' },
});

export const sourceRefusals = {
  'no-comment-source': {
    status: 400,
    code: 'no-comment-source',
    message: 'The bridge reads no comments (COMMENTS_DATABASE_URL is not set): send the thread itself.',
    field: 'threadId',
  },
  'unknown-thread': { status: 404, code: 'unknown-thread', message: '', field: 'threadId' },
  'too-many-comments': { status: 413, code: 'too-many-comments', message: '', field: 'threadId' },
  unusable: { status: 503, code: 'comment-source-unusable', message: '', headers: { 'retry-after': '60' } },
  unreachable: { status: 503, code: 'comment-source-unreachable', message: '', headers: { 'retry-after': '5' } },
} as const satisfies Record<string, Refused>;
