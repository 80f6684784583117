import { expect, it } from 'vitest';
import { patiently, within } from './wait.ts';

it('gives what comes in time, and nothing for what is late or fails', async () => {
  expect(await within(Promise.resolve(1), 60_000)).toBe(1);
  expect(await within(new Promise(() => {}), 1)).toBeUndefined();
  expect(await within(Promise.reject(new Error('x')), 60_000)).toBeUndefined();
});

it('waits for a stuck disk once, and again as soon as it came through', async () => {
  let { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const wait = patiently(
    () => promise,
    () => {
      asked += 1;
      return 1;
    },
  );
  await wait();
  await wait();
  expect(asked).toBe(1);
  resolve();
  await wait();
  ({ promise, resolve } = Promise.withResolvers<void>());
  resolve();
  await wait();
  expect(asked).toBe(2);
});
