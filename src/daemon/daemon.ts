import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { SweepJob, SweepResult } from '../../jobs/sweep.ts';
import type { Config } from '../config/types.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import { readFailingCalls } from '../db/queries/calls.ts';
import { detectIncidents } from '../db/queries/incidents.ts';
import { findRegistered } from '../db/queries/servers.ts';
import { showAround } from '../db/queries/show-around.ts';
import { createProbeStore } from '../db/queries/store.ts';
import { readSuppressions } from '../db/queries/surroundings.ts';
import { scheduleServers } from '../db/queries/sweep.ts';
import { findUntaken } from '../db/rollup/untaken.ts';
import { createHealth } from '../http/health.ts';
import { createHttpServer } from '../http/http-server.ts';
import { createEgressPolicy } from '../mcp/egress.ts';
import { createProber } from '../mcp/prober.ts';
import { hostKeyOf, isLoopbackKey, targetOfServer } from '../mcp/target.ts';
import { createMetrics } from '../metrics/create-metrics.ts';
import { openQueueBackend } from '../queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../queue/definitions.ts';
import { type OnProgress, openDatabase } from './database.ts';
import { refreshGauges, startGauges } from './gauges.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createLifecycle, withinMs } from './lifecycle.ts';
import { startNotifications } from './notifications.ts';
import { openSettings } from './open-settings.ts';
import { queuePoolConfig } from './queue-pool.ts';
import { readinessChecks } from './readiness.ts';
import { logProbe } from './report.ts';
import { createSettingsReader } from './settings-reader.ts';
import { startAround } from './start-around.ts';
import { startCalls } from './start-calls.ts';
import { startHealthRollup } from './start-health-rollup.ts';
import { startJobs } from './start-jobs.ts';
import { startSelfCheck } from './start-self-check.ts';
import { startStorage } from './start-storage.ts';
import { startTidying } from './start-tidying.ts';
import { startUsage } from './start-usage.ts';
import { openStdioChildren } from './stdio-children.ts';
import { startWatchdog } from './watchdog.ts';

export interface DaemonOptions {
  config: Config;
  logger: Logger;
  version: string;
  onProgress?: OnProgress;
  /** Ends a start that waits for a database or a queue. */
  signal?: AbortSignal;
  /** The embedded database has ended under the daemon, which cannot go on. */
  onLost?: () => void;
  /** An environment variable by its name: what the settings files say as `env:NAME`. */
  lookUp?: (name: string) => string | undefined;
  /** Keeps a value out of the log lines, until the returned function is called. */
  addSecret?: (value: string) => () => void;
  /** What is to be done before the first sweep. */
  prepare?: (database: { db: Database; embedded: boolean }) => Promise<void>;
}

export interface RunningDaemon {
  db: Database;
  databaseUrl: string;
  embedded: boolean;
  /** The base of /metrics, /livez and /readyz. */
  httpUrl: string;
  /** Reads the policy and alerts files again; a version that cannot be used is refused in a log line. */
  reloadSettings(): Promise<void>;
  /** The gauges, read again now rather than in some seconds. */
  refreshGauges(): Promise<void>;
}

export interface Daemon {
  /** Rejects with a typed error, everything that was begun ended again. */
  start(): Promise<RunningDaemon>;
  /** Ends all of it within the configured time, or this one; may be called at any moment, and more than once. */
  stop(budgetMs?: number): Promise<void>;
}

/** The composition root: the only place where the parts meet. */
export function createDaemon(options: DaemonOptions): Daemon {
  const { config, logger } = options;
  const lifecycle = createLifecycle((step) => logger.debug({ step }, 'stopping'));
  const stop = (budgetMs = config.shutdownMs) => lifecycle.stop(budgetMs);
  return {
    async start() {
      try {
        return await startAll(options, lifecycle);
      } catch (error) {
        // What could not be ended must not hide why the start failed.
        await stop().catch((problem: unknown) =>
          logger.error({ err: problem }, 'what was begun could not be ended'),
        );
        throw error;
      }
    },
    stop,
  };
}

/** What a stop keeps back for those behind the probes: the store, the queue, the database. */
const STOP_RESERVE_MS = 4_000;

async function startAll(
  options: DaemonOptions,
  lifecycle: ReturnType<typeof createLifecycle>,
): Promise<RunningDaemon> {
  const { config, logger, onProgress = () => undefined } = options;

  const settings = await openSettings(options);
  lifecycle.onStop('settings files', settings.watch().stop);

  const database = await openDatabase(config, onProgress, { signal: options.signal, onLost: options.onLost });
  lifecycle.onStop('database', () => database.close());
  const { db } = database;
  await options.prepare?.(database);

  const backend = await openQueueBackend(
    { redisUrl: config.redisUrl, postgres: await queuePoolConfig(database) },
    // The message alone: node-postgres hangs its whole client on an error.
    (source, error) => logger.warn({ source, problem: error.message }, 'the queue has trouble'),
    onProgress,
    options.signal,
  );
  lifecycle.onStop('queue backend', () => backend.close());
  const sweepQueue = backend.queue<SweepJob, SweepResult>(QUEUES.sweep);
  const probeQueue = backend.queue<ProbeJob, ProbeResult>(QUEUES.probe);
  lifecycle.onStop('queues', async () => {
    await Promise.all([sweepQueue.close(), probeQueue.close()]);
  });

  const metrics = createMetrics({ version: options.version });
  const prober = createProber({
    clientInfo: { name: 'mcp-vitals', version: options.version },
    egress: createEgressPolicy(config.egress),
    limits: { processes: config.stdioMaxProcesses },
    environment: config.childEnvironment,
    children: await openStdioChildren(config, logger),
  });
  lifecycle.onStop('prober', () => prober.close());
  const store = createProbeStore(db, {
    policy: () => settings.policy(),
    refreshShown: showAround,
    readFailingCalls,
  });
  lifecycle.onStop('store', () => store.idle());

  const notifications = await startNotifications({
    db,
    backend,
    metrics,
    logger,
    alerts: settings.alerts,
    detectIncidents: (tx, nowMs) => detectIncidents(tx, settings.policy().incidents, nowMs),
    readSuppressions,
  });
  lifecycle.onStop('notifications', () => notifications.stop());

  const health = createHealth(
    readinessChecks({ db, queue: backend, sweepIntervalMs: config.sweep.intervalMs }),
  );
  const http = createHttpServer({ ...config.http, metrics, health, logger });
  const { url: httpUrl } = await http.start();
  lifecycle.onStop('http', () => http.stop());

  const selfCheck = await startSelfCheck({ db, policy: settings.policy, logger });
  lifecycle.onStop('self-check', () => selfCheck.stop());

  const cut = new AbortController();
  // Every probe in flight listens to it.
  setMaxListeners(0, cut.signal);
  const { perHost } = config.probe;
  const jobs = await startJobs(
    backend,
    {
      sweep: { db, sweepQueue, probeQueue, hostKeyOf, settings: { ...config.sweep, perHost } },
      probe: {
        db,
        store,
        perHost,
        hostKeyOf,
        signal: cut.signal,
        isOurs: ({ hostKey, ...probe }) => selfCheck.isOurs({ ...probe, loopback: isLoopbackKey(hostKey) }),
        targetOf: (server) =>
          targetOfServer(server, { timeoutMs: config.probe.timeoutMs, secretKeys: config.secretKeys }),
        probe: (target, request) => prober.probe(target, request),
        async schedule(serverId) {
          const server = await findRegistered(db, serverId);
          if (server)
            await scheduleServers(db, [{ serverId, hostKey: hostKeyOf(server), nextProbeMs: Date.now() }]);
          return server !== null;
        },
        onStored(stored, outcome) {
          metrics.recordProbe({ ...stored.decision.own, ...outcome });
          logProbe(logger, stored, outcome);
          if (stored.decision.statusChange) notifications.kick();
        },
        onSpared: (reason) => metrics.probesSkipped(reason),
      },
    },
    { probeConcurrency: config.probe.concurrency, sweepIntervalMs: config.sweep.intervalMs },
    logger,
  );
  lifecycle.onStop('probes', async () => {
    const patienceMs = Math.max(500, config.shutdownMs - STOP_RESERVE_MS);
    const ended = jobs.stopProbes();
    // Those still running then are cut short and given back, so that another worker finds them at once.
    await withinMs('probes', patienceMs, () => ended).catch(() => cut.abort());
    await ended;
  });
  lifecycle.onStop('sweep', () => jobs.stopSweep());
  await jobs.scheduleSweep();
  const around = await startAround({ backend, db, policy: settings.policy, logger });
  lifecycle.onStop('around', () => around.stop());
  const tidying = await startTidying(backend, db, logger);
  lifecycle.onStop('tidying', () => tidying.stop());
  const readSettings = createSettingsReader({
    sql: database.sql,
    environment: config.nodeEnv,
    onRefused: ({ key, problem, kept }) =>
      logger.warn({ key, kept }, `system_config ${key} is refused: ${problem}; ${kept} stay in force`),
  });
  const storage = await startStorage({
    backend,
    db,
    sql: database.sql,
    readSettings,
    metrics,
    logger,
    findUntaken: (table) => findUntaken(db, table),
  });
  lifecycle.onStop('storage', () => storage.stop());
  const calls = await startCalls({ backend, db, policy: () => settings.policy().calls, logger });
  lifecycle.onStop('calls', () => calls.stop());
  await calls.job.schedule();
  const rollup = await startHealthRollup({
    backend,
    db,
    readSettings,
    logger,
    onSetAside: metrics.countSetAside,
  });
  lifecycle.onStop('health rollup', () => rollup.stop());
  const usage = await startUsage({
    backend,
    db,
    metrics,
    policy: settings.policy,
    readSettings,
    logger,
  });
  lifecycle.onStop('usage', () => usage.stop());
  await notifications.job.schedule();
  const heartbeat = startHeartbeat({
    alerts: settings.alerts,
    health,
    logger,
    onSuccess: metrics.setHeartbeat,
  });
  lifecycle.onStop('heartbeat', () => heartbeat.stop());
  const watchdog = startWatchdog({
    db,
    jobs: [
      { name: 'sweep', everyMs: config.sweep.intervalMs, schedule: () => jobs.scheduleSweep() },
      notifications.job,
      calls.job,
      tidying.job,
      storage.job,
      rollup.job,
      usage.job,
    ],
    onRestart: (name, ageMs) =>
      logger.warn({ ageMs: Math.round(ageMs) }, `no ${name} has run lately: scheduling it anew`),
    onError: (error) => logger.warn({ err: withoutParameters(error) }, 'the watchdog failed'),
  });
  lifecycle.onStop('watchdog', () => watchdog.stop());

  const gauges = { db, metrics, probeQueue };
  await refreshGauges(gauges);
  const refresh = startGauges({
    ...gauges,
    onError: (error) => logger.warn({ err: withoutParameters(error) }, 'the gauges could not be refreshed'),
  });
  lifecycle.onStop('gauges', () => refresh.stop());

  logger.info({ httpUrl, queue: backend.kind, embedded: database.embedded }, 'the daemon runs');
  return {
    db,
    databaseUrl: database.url,
    embedded: database.embedded,
    httpUrl,
    reloadSettings: () => settings.refresh(true),
    refreshGauges: () => refreshGauges(gauges),
  };
}
