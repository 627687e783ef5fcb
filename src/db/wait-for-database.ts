import { setTimeout as sleep } from 'node:timers/promises';
import { openClient } from './client.ts';
import { describeDatabase } from './connection-options.ts';
import { DatabaseUnreachableError } from './errors.ts';

export interface WaitOptions {
  /** How many tries in all; as many as the deadline leaves room for unless given. */
  attempts?: number;
  /** When to give up, in milliseconds from now; 30,000 unless told. */
  deadlineMs?: number;
  /** One line for the user after each failed try; it holds no password. */
  onRetry?: (line: string) => void;
  signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const LONGEST_TRY_MS = 10_000;

/** SQLSTATE classes that another try will not change: wrong password, no such database, no permission. */
const HOPELESS = new Set(['28P01', '28000', '3D000', '42501']);

/** What postgres.js or Node said, in a sentence that holds no URL and no password. */
function causeOf(error: unknown): { code: string; text: string } {
  if (!(error instanceof Error)) return { code: 'unknown', text: String(error) };
  const code = 'code' in error ? String(error.code) : 'unknown';
  // An AggregateError of Node (happy eyeballs) has no message of its own: its code says it all.
  return { code, text: error.message === '' ? code : error.message };
}

/**
 * One query, on a connection of its own. What listens there may be no PostgreSQL at all: postgres.js then
 * connects again and again, and neither answers nor gives up.
 */
async function ping(url: string, patienceMs: number, signal: AbortSignal | undefined): Promise<void> {
  const sql = openClient(url, { poolSize: 1, applicationName: 'mcp-vitals: hello' });
  const timeout = AbortSignal.timeout(patienceMs);
  const over = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const ended = new Promise<never>((_, reject) => {
      const tell = () =>
        reject(timeout.aborted ? new Error(`no answer in ${Math.round(patienceMs / 1000)} s`) : over.reason);
      if (over.aborted) tell();
      over.addEventListener('abort', tell, { once: true });
    });
    await Promise.race([sql`select 1`, ended]);
  } finally {
    await sql.end({ timeout: over.aborted ? 0 : 1 });
  }
}

/**
 * Resolves once the database answers a query. An unreachable one is tried again with growing pauses,
 * and then rejected with DatabaseUnreachableError; a wrong password or name is rejected at once.
 */
export async function waitForDatabase(url: string, options: WaitOptions = {}): Promise<void> {
  const where = describeDatabase(url);
  const deadlineMs = options.deadlineMs ?? 30_000;
  const attempts = options.attempts ?? Number.POSITIVE_INFINITY;
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const leftMs = deadlineMs - (performance.now() - startedAt);
      await ping(url, Math.max(1_000, Math.min(LONGEST_TRY_MS, Math.round(leftMs))), options.signal);
      return;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const { code, text } = causeOf(error);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      const spent = performance.now() - startedAt + pauseMs > deadlineMs;
      if (HOPELESS.has(code) || attempt >= attempts || spent)
        throw new DatabaseUnreachableError(`the database at ${where} cannot be used: ${text}`, {
          cause: error,
        });
      options.onRetry?.(
        `the database at ${where} does not answer (${text}): next try in ${(pauseMs / 1000).toFixed(2)} s`,
      );
      await sleep(pauseMs, undefined, { signal: options.signal });
    }
  }
}
