import type { SealingKey } from '../core/secrets/keys.ts';

/** All that the worker can be told from outside; read once, by `loadConfig`, and passed on. */
export interface Config {
  nodeEnv: 'development' | 'test' | 'production';
  /** Embedded database, runtime files; absolute. */
  dataDir: string;
  /** Where drizzle's migrations are; absolute. */
  migrationsDir: string;
  database: { url: string | null; poolSize: number };
  /** null: the queue lives in the database. */
  redisUrl: string | null;
  http: { host: string; port: number };
  log: { level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'; format: 'auto' | 'json' | 'pretty' };
  probe: { concurrency: number; perHost: number; timeoutMs: number };
  sweep: { intervalMs: number; batchSize: number };
  egress: { mode: 'open' | 'strict'; allow: string[] };
  /** How the command lines of stdio servers have to begin; null: any may be run. */
  stdioAllow: readonly (readonly string[])[] | null;
  /** How many processes the command of a stdio server may have at once. */
  stdioMaxProcesses: number;
  /** What seals and opens credentials; the first one seals. Empty: none are sealed. */
  secretKeys: readonly SealingKey[];
  /** Absolute; null where there is none. */
  files: { policy: string | null; alerts: string | null };
  /** How long a stop may take before what is left is let go. */
  shutdownMs: number;
  /** Names that look like ours and are not: to be logged at the start, no reason to stop. */
  warnings: string[];
  /** Of the environment, what the commands of stdio servers may see. */
  childEnvironment: Readonly<Record<string, string>>;
}
