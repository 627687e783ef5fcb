import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { Config } from '../../src/config/types.ts';
import { createDaemon, type Daemon, type RunningDaemon } from '../../src/daemon/daemon.ts';
import type { createTestDatabase } from './database.ts';

export interface TestDaemon extends RunningDaemon {
  daemon: Daemon;
  config: Config;
  /** Every line that it logged, as JSON. */
  log: Record<string, unknown>[];
  stop(): Promise<void>;
}

export type TestDatabase = Awaited<ReturnType<typeof createTestDatabase>>;

/** The configuration of a daemon in a test: quick sweeps, any port, the queue that this run is about. */
export function testConfig(databaseUrl: string, changes: Partial<Config> = {}): Config {
  return {
    nodeEnv: 'test',
    // Work folders of stdio servers, and the id that their processes are marked with.
    dataDir: join(tmpdir(), 'mcp-vitals-unused'),
    migrationsDir: new URL('../../drizzle', import.meta.url).pathname,
    database: { url: databaseUrl, poolSize: 20 },
    redisUrl: testRedisUrl(),
    http: { host: '127.0.0.1', port: 0 },
    log: { level: 'debug', format: 'json' },
    probe: { concurrency: 64, perHost: 4, timeoutMs: 5_000 },
    sweep: { intervalMs: 200, batchSize: 500 },
    egress: { mode: 'open', allow: [] },
    stdioAllow: null,
    stdioMaxProcesses: 100,
    secretKeys: [],
    files: { policy: null, alerts: null },
    shutdownMs: 15_000,
    childEnvironment: { PATH: process.env.PATH ?? '' },
    warnings: [],
    ...changes,
  };
}

/** The Redis of this run, a database of its own for each of vitest's workers; null without one. */
export function testRedisUrl(): string | null {
  if (!process.env.TEST_REDIS_URL) return null;
  const url = new URL(process.env.TEST_REDIS_URL);
  url.pathname = `/${process.env.VITEST_POOL_ID ?? 0}`;
  return url.href;
}

/** Empties the Redis of this run: databases are made anew for each test file, this one is shared. */
export async function clearQueue(): Promise<void> {
  const url = testRedisUrl();
  if (!url) return;
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
}

/** A whole daemon in this process. */
export async function startTestDaemon(config: Config): Promise<TestDaemon> {
  const log: Record<string, unknown>[] = [];
  const logger = pino(
    { level: config.log.level },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  );
  const daemon = createDaemon({ config, logger, version: '0.0.0-test' });
  const running = await daemon.start();
  return { ...running, daemon, config, log, stop: () => daemon.stop() };
}

/** Asks until the answer is no longer undefined; for states that nobody announces. */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined> | Answer | undefined,
  deadlineMs = 30_000,
): Promise<Answer> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await sleep(25);
  }
}
