/** What `work` resolves to, or nothing once `milliseconds` have passed. A rejection counts as nothing. */
export async function within<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for `work` up to `patience()` milliseconds. Once it was late, nobody waits again until it
 * has come through: a stuck disk costs its deadline once, not on every page.
 */
export function patiently(work: () => Promise<void>, patience: () => number): () => Promise<void> {
  let late = false;
  return async () => {
    const done = work().then(() => {
      late = false;
      return true;
    });
    if (!late && (await within(done, patience())) === undefined) late = true;
  };
}
