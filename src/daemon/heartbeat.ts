import type { Logger } from 'pino';
import type { AlertsConfig, Heartbeat } from '../core/alerts/alerts-config.ts';
import type { HealthReport } from '../http/health.ts';
import { sendRequest } from '../notify/send-request.ts';
import { startPeriodic } from './periodic.ts';

export interface HeartbeatDeps {
  alerts: () => Pick<AlertsConfig, 'heartbeat'>;
  /** What /readyz tells: database, queue, and a sweep that ran lately. */
  health: { report(): Promise<HealthReport> };
  logger: Pick<Logger, 'info' | 'warn'>;
  onSuccess: (atMs: number) => void;
}

const LONGEST_MS = 10_000;

/**
 * A dead man's switch: as long as this replica is well, it says so to somebody outside, who raises the alarm
 * when it falls silent. A replica that is not well falls silent, too.
 */
export function startHeartbeat(deps: HeartbeatDeps): { stop: () => Promise<void> } {
  let lastMs = Number.NEGATIVE_INFINITY;
  let state = 'beating';
  const cut = new AbortController();

  /** Told once for each change, not once for each beat. */
  function become(next: string, fields: object, line: string): void {
    if (next === state) return;
    state = next;
    if (next === 'beating') deps.logger.info(fields, line);
    else deps.logger.warn(fields, line);
  }

  async function beat(heartbeat: Heartbeat): Promise<void> {
    const { ok, checks } = await deps.health.report();
    if (!ok) {
      const problems = Object.entries(checks).flatMap(([name, check]) =>
        check.ok ? [] : [`${name}: ${check.problem}`],
      );
      return become('silent', { problems }, 'not ready: the heartbeat has stopped');
    }
    const problem = await send(heartbeat, cut.signal);
    if (cut.signal.aborted) return;
    if (problem !== null) return become('failing', { problem }, 'the heartbeat is not taken');
    deps.onSuccess(Date.now());
    become('beating', {}, 'the heartbeat is taken again');
  }

  const periodic = startPeriodic(
    'heartbeat',
    async () => {
      const { heartbeat } = deps.alerts();
      const nowMs = performance.now();
      // A quarter of a second early is better than a whole second late.
      if (!heartbeat || nowMs - lastMs < heartbeat.everyMs - 250) return;
      lastMs = nowMs;
      await beat(heartbeat);
    },
    (error) =>
      become(
        'failing',
        { problem: error instanceof Error ? error.message : String(error) },
        'the heartbeat failed',
      ),
    1,
  );
  return {
    async stop() {
      cut.abort();
      await periodic.stop();
    },
  };
}

/** null when it was taken; else why not, without the address, which may be a secret. */
async function send({ url, method, everyMs }: Heartbeat, stop: AbortSignal): Promise<string | null> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(Math.min(everyMs, LONGEST_MS))]);
  try {
    const { status } = await sendRequest(url, {
      method,
      headers: {},
      body: method === 'POST' ? '' : null,
      signal,
    });
    return status >= 200 && status < 300 ? null : `status ${status}`;
  } catch (error) {
    if (signal.aborted) return 'no answer in time';
    return error instanceof Error ? error.message : String(error);
  }
}
