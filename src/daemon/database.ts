import type { Config } from '../config/types.ts';
import { connectDatabase, type DatabaseConnection } from '../db/client.ts';
import { openEmbedded } from '../db/embedded/open-embedded.ts';
import { migrateDatabase } from '../db/migrate.ts';
import { waitForDatabase } from '../db/wait-for-database.ts';

/** A line for whoever watches a start. */
export type OnProgress = (line: string) => void;

export interface ResolvedDatabase {
  url: string;
  embedded: boolean;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Ends the waiting for a database that does not answer. */
  signal?: AbortSignal | undefined;
  /** The embedded server has ended under us. */
  onLost?: (() => void) | undefined;
}

/** Where the data is: DATABASE_URL when it is set and answers, the embedded server otherwise. */
export async function resolveDatabase(
  config: Config,
  onProgress: OnProgress,
  { signal, onLost }: OpenOptions = {},
): Promise<ResolvedDatabase> {
  const { url } = config.database;
  if (url === null) {
    const server = await openEmbedded({ dataDir: config.dataDir, onProgress, ...(onLost ? { onLost } : {}) });
    return { url: server.url, embedded: true, close: () => server.close() };
  }
  await waitForDatabase(url, { onRetry: onProgress, ...(signal ? { signal } : {}) });
  return { url, embedded: false, close: async () => undefined };
}

/** The database, migrated and connected: what every command but `probe` begins with. */
export async function openDatabase(
  config: Config,
  onProgress: OnProgress,
  options: OpenOptions = {},
): Promise<DatabaseConnection & ResolvedDatabase> {
  const resolved = await resolveDatabase(config, onProgress, options);
  try {
    await migrateDatabase(resolved.url, config.migrationsDir);
    const connection = connectDatabase(resolved.url, { poolSize: config.database.poolSize });
    return {
      ...resolved,
      ...connection,
      async close() {
        await connection.close();
        await resolved.close();
      },
    };
  } catch (error) {
    await resolved.close();
    throw error;
  }
}
