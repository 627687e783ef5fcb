import type { Config } from '../config/types.ts';
import { type OnProgress, openDatabase, resolveDatabase } from '../daemon/database.ts';
import type { DatabaseConnection } from '../db/client.ts';

/** What the commands' actions share. */
export interface ActionContext {
  /** Read once, when the first command needs it; throws ConfigError. */
  config(): Config;
  version: string;
  /** Aborted when the user asks the program to end. */
  stop: AbortSignal;
  /** An environment variable by its name: what the settings files say as `env:NAME`. */
  lookUp(name: string): string | undefined;
  /** Calls back at each SIGHUP, which until then ends the program; returns what stops that. */
  onHangup(listener: () => void): () => void;
  /** Lines about what takes its time, for people; never on standard output. */
  onProgress: OnProgress;
}

/** Runs `work` on the migrated database, and lets go of it whatever happens. */
export async function withDatabase<Result>(
  context: ActionContext,
  work: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(context.config(), context.onProgress, { signal: context.stop });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Runs `work` on the database as it is: for the commands that change its schema. */
export async function withDatabaseUrl<Result>(
  context: ActionContext,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  const database = await resolveDatabase(context.config(), context.onProgress, { signal: context.stop });
  try {
    return await work(database.url);
  } finally {
    await database.close();
  }
}

export type OpenDatabase = DatabaseConnection & { url: string; embedded: boolean };
