import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DrizzleKitError } from '../errors.ts';

type KitApi = typeof import('drizzle-kit/api');

/** What we touch of drizzle-kit's picture of a table (as in drizzle/meta). */
export interface SnapshotTable {
  columns: Record<string, { type: string; notNull: boolean; default?: unknown }>;
  indexes: Record<string, unknown>;
  uniqueConstraints: Record<string, { columns: string[] }>;
  foreignKeys: Record<string, { columnsFrom: string[] }>;
}

function missing(cause: unknown): DrizzleKitError {
  return new DrizzleKitError(
    'drizzle-kit is not installed: this command is for development, run it in a checkout after npm ci',
    { cause },
  );
}

/** drizzle-kit as a library; it is a development dependency, so it may not be here. */
export async function loadKit(): Promise<KitApi> {
  try {
    return await import('drizzle-kit/api');
  } catch (error) {
    throw missing(error);
  }
}

/** The file to run drizzle-kit from the command line with. */
export function findKitProgram(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs');
  } catch (error) {
    throw missing(error);
  }
}
