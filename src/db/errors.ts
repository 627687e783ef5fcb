import { DrizzleQueryError } from 'drizzle-orm';
import type { AdoptionReport } from './adoption/report.ts';

/** What the database side can refuse or fail with; each has a `code` that never changes. */
abstract class DatabaseError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No database answered within the deadline, or it refused us. */
export class DatabaseUnreachableError extends DatabaseError {
  readonly code = 'DATABASE_UNREACHABLE';
}

/** DATABASE_URL is no URL of a PostgreSQL database. */
export class DatabaseUrlError extends DatabaseError {
  readonly code = 'DATABASE_URL_INVALID';
}

export const EMBEDDED_ERROR_CODES = [
  'EMBEDDED_NO_BINARIES',
  'EMBEDDED_OTHER_VERSION',
  'EMBEDDED_NOT_OURS',
  'EMBEDDED_PATH_TOO_LONG',
  'EMBEDDED_INIT_FAILED',
  'EMBEDDED_START_FAILED',
  'EMBEDDED_TIMEOUT',
] as const;
export type EmbeddedErrorCode = (typeof EMBEDDED_ERROR_CODES)[number];

/** The embedded database cannot be had on this machine, or in this data folder. */
export class EmbeddedDatabaseError extends DatabaseError {
  constructor(
    readonly code: EmbeddedErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The gateway's tables are there, and none of our bookkeeping: somebody has to say that they may be used. */
export class AdoptionNeededError extends DatabaseError {
  readonly code = 'DATABASE_ADOPTION_NEEDED';
}

/** Another process has been migrating for longer than we wait, or a lock on a table could not be had. */
export class MigrationBlockedError extends DatabaseError {
  readonly code = 'DATABASE_MIGRATION_BLOCKED';
}

/** The worker could not run on a gateway's database; nothing was changed. */
export class AdoptionRefusedError extends DatabaseError {
  readonly code = 'DATABASE_ADOPTION_REFUSED';

  constructor(
    message: string,
    readonly report: AdoptionReport,
  ) {
    super(message);
  }
}

/** The database looks like one that people rely on, and nobody insisted. */
export class ResetRefusedError extends DatabaseError {
  readonly code = 'DATABASE_RESET_REFUSED';
}

/** A table cannot be partitioned without something of it being lost; nothing was changed. */
export class PartitioningRefusedError extends DatabaseError {
  readonly code = 'DATABASE_PARTITIONING_REFUSED';
}

/** drizzle-kit is not here, or it failed. */
export class DrizzleKitError extends DatabaseError {
  readonly code = 'DRIZZLE_KIT_FAILED';
}

/**
 * What went wrong with a query, without the query: Drizzle puts every parameter into the message, which
 * may hold megabytes that a target sent. Other errors come back as they are.
 */
export function withoutParameters(error: unknown): Error {
  if (!(error instanceof DrizzleQueryError)) return error instanceof Error ? error : new Error(String(error));
  const { cause } = error;
  const code = cause && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new Error(`a query failed${code}: ${(cause?.message ?? 'no cause was given').slice(0, 500)}`);
}
