export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}
export interface BucketPolicy {
  readonly capacity: number;
  readonly perMinute: number;
}

/** Takes one token, or says how long until there is one (milliseconds). */
export function take(bucket: Bucket, nowMs: number, policy: BucketPolicy): { bucket: Bucket; waitMs: number } {
  const gained = (Math.max(nowMs - bucket.atMs, 0) / 60_000) * policy.perMinute;
  const tokens = Math.min(policy.capacity, bucket.tokens + gained);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: Math.ceil(((1 - tokens) / policy.perMinute) * 60_000) };
}
