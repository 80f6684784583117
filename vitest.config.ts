import { defineConfig } from 'vitest/config';

/** Whole-system tests start real servers; two cores run two files at a time, and no test waits longer than its deadline. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '.cache/**'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/tally.ts'],
  },
});
