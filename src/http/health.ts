import { stripCredentials } from '../logging/strip-credentials.ts';

export type CheckResult = { ok: true } | { ok: false; problem: string };
/** Looks at one thing that readiness needs; may take long or throw, both are a problem. */
export type HealthCheck = () => Promise<CheckResult>;

export interface HealthReport {
  ok: boolean;
  /** By the name of the check; the problem in words where there is one. */
  checks: Record<string, CheckResult>;
}

export interface Health {
  report(): Promise<HealthReport>;
}

/** What is at the bottom of an error: a wrapper's message is the query that failed, not why. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

async function attempt(check: HealthCheck): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    const cause = innermost(error);
    return { ok: false, problem: stripCredentials(cause instanceof Error ? cause.message : String(cause)) };
  }
}

/**
 * One check that is never under way twice: what asks while it hangs waits for the same answer, so that a
 * database that is stuck is not sent one more query by every poll.
 */
function shareRuns(check: HealthCheck): HealthCheck {
  let running: Promise<CheckResult> | undefined;
  return () => {
    running ??= attempt(check).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function withTimeout(run: Promise<CheckResult>, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, problem: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the checks side by side, each bounded by the timeout. */
export function createHealth(
  checks: Readonly<Record<string, HealthCheck>>,
  { timeoutMs = 2000 }: { timeoutMs?: number } = {},
): Health {
  const shared = Object.entries(checks).map(([name, check]) => ({ name, run: shareRuns(check) }));
  return {
    async report() {
      const results = await Promise.all(
        shared.map(async ({ name, run }) => [name, await withTimeout(run(), timeoutMs)] as const),
      );
      return { ok: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) };
    },
  };
}
