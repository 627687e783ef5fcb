import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const recordSchema = z.object({
  keeperPid: z.number(),
  /** The loopback port that users of the database hold a connection to. */
  port: z.number(),
  token: z.string(),
  /** Known once the server accepts connections. */
  postgres: z.object({ pid: z.number(), port: z.number(), password: z.string() }).optional(),
});

/** What `<dataDir>/keeper.json` (0600) says of the keeper that serves the folder. */
export type KeeperRecord = z.infer<typeof recordSchema>;

const path = (dataDir: string) => join(dataDir, 'keeper.json');

export async function readKeeperRecord(dataDir: string): Promise<KeeperRecord | undefined> {
  const text = await readFile(path(dataDir), 'utf8').catch(() => undefined); // none yet, or no more
  if (text === undefined) return undefined;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // not a record of ours: the next keeper writes one
  }
}

export async function writeKeeperRecord(dataDir: string, record: KeeperRecord): Promise<void> {
  const draft = join(dataDir, `keeper.json.${process.pid}`);
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, path(dataDir));
}

export async function removeKeeperRecord(dataDir: string): Promise<void> {
  await rm(path(dataDir), { force: true });
}
