import { defineConfig } from 'vitest/config';

/** Unit tests need nothing; the others run against real databases, queues, servers and processes. */
const project = (name: string, timeoutMs: number, options: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: ['test/support/one-seed.ts'],
    testTimeout: timeoutMs,
    hookTimeout: Math.max(timeoutMs, 60_000),
    ...options,
  },
});
const database = { globalSetup: ['test/support/database-server.ts'] };

export default defineConfig({
  test: {
    // Two on the smallest machine, where vitest would take one: most of the time is spent waiting.
    maxWorkers: 2,
    // Tests that say so are run at once: hostile servers of which a probe does little but wait for its deadline.
    maxConcurrency: 8,
    projects: [
      // They share nothing that a module could keep: loading each module once is half of their time.
      project('unit', 60_000, { isolate: false }),
      project('contract', 60_000),
      project('standalone', 60_000, { globalSetup: ['test/support/typescript-children.ts'] }),
      project('integration', 60_000, database),
      // A million rows: once, on the embedded database.
      project('scale', 60_000, database),
      project('acceptance', 120_000, database),
    ],
  },
});
