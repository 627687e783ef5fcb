import { defineConfig } from 'vitest/config';

/** Unit tests need nothing; the others run against real databases, queues, servers and processes. */
const project = (name: string, timeoutMs: number, options: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
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
    projects: [
      project('unit', 60_000),
      project('contract', 60_000),
      project('integration', 60_000, database),
      // A million rows: once, on the embedded database.
      project('scale', 60_000, database),
      // Each starts whole daemons with their servers: one at a time on a small machine.
      project('acceptance', 120_000, { ...database, fileParallelism: false }),
    ],
  },
});
