import { onDocumentWritten } from 'firebase-functions/v2/firestore';
import { type Deps, onComment } from './summarise.ts';

/**
 * The function: a Firestore trigger on comments alone. What it writes lies in another collection, so it never wakes itself.
 * `retry` makes the platform deliver again what throws; `onComment` bounds for how long. `deps` is asked for at the first event,
 * because parameters and credentials do not exist while the code is only being deployed.
 */
export function summariseComments(deps: () => Deps, region: string) {
  let ready: Deps | null = null;
  return onDocumentWritten(
    {
      document: 'threads/{threadId}/comments/{commentId}',
      region,
      retry: true,
      timeoutSeconds: 120,
      memory: '256MiB',
      // One small GPU at home: more instances would only wait in its queue.
      maxInstances: 4,
    },
    async (event) => {
      ready ??= deps();
      const { before, after } = event.data ?? {};
      await onComment(
        {
          id: event.id,
          time: event.time,
          threadId: event.params.threadId,
          commentId: event.params.commentId,
          before: before?.exists === true ? before.data() : undefined,
          after: after?.exists === true ? after.data() : undefined,
        },
        ready,
      );
    },
  );
}
