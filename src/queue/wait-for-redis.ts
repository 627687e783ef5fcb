import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** The queue's Redis did not answer in time; the message holds no password. */
export class QueueUnreachableError extends Error {
  override name = 'QueueUnreachableError';
}

export interface WaitForRedisOptions {
  /** When to give up, in milliseconds from now; 30,000 unless told. */
  deadlineMs?: number;
  /** One line after each failed try. */
  onRetry?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const LONGEST_TRY_MS = 10_000;
/** Answers that another try will not change. */
const HOPELESS = /WRONGPASS|NOAUTH|NOPERM|invalid DB index/i;

/** Resolves once Redis answers a PING; an unreachable one is tried again, a refusing one is not. */
export async function waitForRedis(url: string, options: WaitForRedisOptions = {}): Promise<void> {
  const { host } = new URL(url);
  const deadline = performance.now() + (options.deadlineMs ?? 30_000);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const leftMs = deadline - performance.now();
      await ping(url, Math.max(1_000, Math.min(LONGEST_TRY_MS, Math.round(leftMs))), options.signal);
      return;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const problem = error instanceof Error ? error.message : String(error);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      if (HOPELESS.test(problem) || performance.now() + pauseMs > deadline) {
        throw new QueueUnreachableError(`the Redis at ${host} cannot be used: ${problem}`, { cause: error });
      }
      options.onRetry?.(`the Redis at ${host} does not answer (${problem}): next try in ${pauseMs / 1000} s`);
      await sleep(pauseMs, undefined, { signal: options.signal });
    }
  }
}

/** One PING, on a connection of its own. What listens there may take the connection, and never say a word. */
async function ping(url: string, patienceMs: number, signal: AbortSignal | undefined): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
  });
  // Every fault also arrives as an event; the rejected promise below says the same, or less: the last word wins.
  let fault: Error | undefined;
  client.on('error', (error: Error) => {
    fault = error;
  });
  const timeout = AbortSignal.timeout(patienceMs);
  const over = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const answered = client.connect().then(() => client.ping());
  try {
    const ended = new Promise<never>((_, reject) => {
      const tell = () =>
        reject(timeout.aborted ? new Error(`no answer in ${Math.round(patienceMs / 1000)} s`) : over.reason);
      if (over.aborted) tell();
      over.addEventListener('abort', tell, { once: true });
    });
    await Promise.race([answered, ended]);
  } catch (error) {
    throw fault ?? error;
  } finally {
    client.disconnect();
  }
}
