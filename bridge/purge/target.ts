import type { Batch, QueuedPurge } from '../policy/purge-plan.ts';

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly detail: Record<string, unknown> }
  /** Not now: try the same call again, no earlier than `afterMs` from now. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** Never: this content is refused. Joined purges are parted to find which one; a single one is set aside, visibly. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Tried often enough: the call as a whole is set aside, visibly, so that those behind it get their turn. */
  | { readonly kind: 'given-up'; readonly reason: string };

/** A place that must hear of purges. */
export interface Target<Call = unknown> {
  readonly name: string;
  /** Hears of a purge only after this target has it. */
  readonly after: string | null;
  /** SQL condition on `body`: purges that concern it; null where all do. */
  readonly concerns: string | null;
  plan(queue: readonly QueuedPurge[]): Batch<Call> | null;
  /** One attempt, ended by `signal` at the latest. Never throws for what the other side or the network does. */
  deliver(id: string, call: Call, signal: AbortSignal): Promise<Outcome>;
  /** Longest time one attempt may take. */
  readonly attemptMs: number;
}
