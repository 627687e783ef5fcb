import { once } from 'node:events';
import type { DaemonReport } from '../cli/actions.ts';
import { createDaemon, type Daemon, type RunningDaemon } from '../daemon/daemon.ts';
import { countOwnServers, putOffDemo, registerDemo, removeDemo } from '../db/queries/demo.ts';
import { awaitVerdicts, readClock } from '../db/queries/results.ts';
import { type DemoFleet, startDemoFleet } from '../demo/start-demo-fleet.ts';
import { createLogger, type Logger } from '../logging/create-logger.ts';
import { secretsOfUrl } from '../logging/strip-credentials.ts';
import type { ActionContext } from './context.ts';
import { readVerdictRows } from './enqueue.ts';

/** undefined: only where nothing is configured and nothing else is registered. */
export interface RunDaemonOptions {
  demo: boolean | undefined;
  report: DaemonReport;
}

const VERDICTS_WITHIN_MS = 30_000;
const LOST_STOP_MS = 2_000;

/** The worker, from its start to the end that the user asks for. */
export async function runDaemon(context: ActionContext, { demo, report }: RunDaemonOptions): Promise<void> {
  const config = context.config();
  const { logger, addSecret } = createLogger(config.log, {
    secrets: secretsOf(config),
    stream: process.stderr,
  });
  for (const warning of config.warnings) report.note(warning);
  const lost = new AbortController();
  const daemon = createDaemon({
    config,
    logger,
    version: context.version,
    // A step is shown with dots of its own.
    onProgress: (line) => report.step(line.replace(/ …$/, '')),
    signal: context.stop,
    lookUp: context.lookUp,
    addSecret,
    onLost: () => lost.abort(),
    // The addresses of an earlier run's demo fleet are stale: it is put off until the new one is there.
    prepare: async ({ db, embedded }) => {
      if (embedded) await putOffDemo(db);
    },
  });
  let fleet: DemoFleet | null = null;
  let ignoreHangup: () => void = () => undefined;
  try {
    const running = await daemon.start();
    if (config.files.policy !== null || config.files.alerts !== null)
      ignoreHangup = context.onHangup(() => reloadSettings(running, logger));
    const sinceMs = await readClock(running.db);
    if (!context.stop.aborted) fleet = await startDemo(running, demo, report);
    if (fleet) await showVerdicts(running, fleet, sinceMs, report, context.stop);
    report.ready([
      { label: 'metrics', url: `${running.httpUrl}/metrics` },
      { label: 'health', url: `${running.httpUrl}/readyz` },
      { label: 'dashboard', url: `${running.httpUrl}/ (to come)` },
    ]);
    const end = AbortSignal.any([context.stop, lost.signal]);
    if (!end.aborted) await once(end, 'abort');
    if (lost.signal.aborted && !context.stop.aborted) {
      throw new Error(
        `the embedded database has ended: see postgres.log in ${config.dataDir}, and start again`,
      );
    }
    report.note('stopping: what is in flight may end …');
  } catch (error) {
    // Whoever asks for the end while it starts has got what they wanted.
    if (!context.stop.aborted) throw error;
  } finally {
    ignoreHangup();
    // The fleet outlives the daemon's last probes, which would otherwise find it down.
    try {
      if (lost.signal.aborted) await abandon(daemon, logger);
      else await daemon.stop();
    } finally {
      await fleet?.stop();
    }
  }
}

function reloadSettings(running: RunningDaemon, logger: Logger): void {
  running
    .reloadSettings()
    .catch((error: unknown) => logger.error({ err: error }, 'the settings files could not be read'));
}

/** Without a database little can be ended in good order, and what cannot must not hide why. */
async function abandon(daemon: Daemon, logger: Logger): Promise<void> {
  try {
    await daemon.stop(LOST_STOP_MS);
  } catch (error) {
    logger.warn(
      { problem: error instanceof Error ? error.message : String(error) },
      'not all of it could be ended',
    );
  }
}

async function startDemo(
  running: RunningDaemon,
  demo: boolean | undefined,
  report: DaemonReport,
): Promise<DemoFleet | null> {
  const wanted = demo ?? (running.embedded && (await countOwnServers(running.db)) === 0);
  if (!wanted) {
    if (running.embedded && (await removeDemo(running.db)) > 0)
      report.note('the demo fleet was taken off the registry');
    return null;
  }
  report.step('starting the demo fleet');
  const fleet = await startDemoFleet({
    onProgress: (progress) => report.step('starting the demo fleet', progress),
  });
  if ('missing' in fleet) {
    await removeDemo(running.db);
    report.note(
      `no demo fleet: its servers are not installed (${fleet.missing.join(', ')}); npm ci installs them`,
    );
    return null;
  }
  try {
    const rows = fleet.servers.map((server) => ({
      ...server,
      version: '',
      ownerId: 'demo',
      healthCheckInterval: 60,
    }));
    await registerDemo(running.db, rows);
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return fleet;
}

async function showVerdicts(
  running: RunningDaemon,
  fleet: DemoFleet,
  sinceMs: number,
  report: DaemonReport,
  stop: AbortSignal,
): Promise<void> {
  const { db } = running;
  const ids = fleet.servers.map((server) => server.id);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(VERDICTS_WITHIN_MS)]);
  let done = 0;
  report.step('probing the demo fleet', { done, total: ids.length });
  for await (const _ of awaitVerdicts(db, ids, sinceMs, signal)) {
    done += 1;
    report.step('probing the demo fleet', { done, total: ids.length });
  }
  if (stop.aborted) return;
  await running.refreshGauges();
  report.verdicts(await readVerdictRows(db, ids));
  if (done < ids.length) report.note(`${ids.length - done} of the demo servers have no verdict yet`);
}

/** Passwords in connection addresses must not come out in a line about a failed connection. */
function secretsOf(config: { database: { url: string | null }; redisUrl: string | null }): string[] {
  return [config.database.url, config.redisUrl].flatMap((url) => (url === null ? [] : secretsOfUrl(url)));
}
