import type { EnqueueCommand, EnqueueResult, VerdictRow } from '../cli/actions.ts';
import { queuePoolConfig } from '../daemon/queue-pool.ts';
import type { Database } from '../db/client.ts';
import { lastJobRunAgeMs } from '../db/queries/job-run.ts';
import { awaitVerdicts, readClock } from '../db/queries/results.ts';
import { readServers } from '../db/queries/server-details.ts';
import { type ServerSelection, selectServers } from '../db/queries/servers.ts';
import { openQueueBackend } from '../queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../queue/definitions.ts';
import { enqueueManualProbes } from '../queue/manual-probes.ts';
import { type ActionContext, type OpenDatabase, withDatabase } from './context.ts';

/** A sweep runs each second: silence for this long means that no worker is there. */
const NO_WORKER_AFTER_MS = 15_000;

/** Queues probes ahead of the scheduled ones, and waits for their verdicts when asked to. */
export function enqueueProbes(context: ActionContext, command: EnqueueCommand): Promise<EnqueueResult> {
  return withDatabase(context, async (database) => {
    const selection: ServerSelection = 'all' in command.selection ? {} : command.selection;
    const queued = await selectServers(database.db, selection);
    const found = new Set(queued.map((server) => server.id));
    const unknown = (selection.ids ?? []).filter((id) => !found.has(id));
    const sinceMs = await readClock(database.db);
    if (queued.length === 0) return { queued, unknown, verdicts: command.wait ? [] : null, unfinished: [] };
    await putIntoQueue(context, database, [...found]);
    if (!command.wait) return { queued, unknown, verdicts: null, unfinished: [] };
    const verdicts = await waitForAll(context, database, [...found], sinceMs, command.onProgress);
    const ended = new Set(verdicts.map((verdict) => verdict.id));
    return { queued, unknown, verdicts, unfinished: queued.filter((server) => !ended.has(server.id)) };
  });
}

async function putIntoQueue(context: ActionContext, database: OpenDatabase, ids: string[]): Promise<void> {
  const { redisUrl } = context.config();
  const backend = await openQueueBackend(
    { redisUrl, postgres: await queuePoolConfig(database) },
    (source, error) => context.onProgress(`${source}: ${error.message}`),
    context.onProgress,
  );
  const queue = backend.queue<ProbeJob, ProbeResult>(QUEUES.probe);
  try {
    await enqueueManualProbes(queue, ids);
  } finally {
    await queue.close();
    await backend.close();
  }
}

/** Ends early when the user says so, or when no worker has been heard of: the rest is then unfinished. */
async function waitForAll(
  context: ActionContext,
  { db }: OpenDatabase,
  ids: string[],
  sinceMs: number,
  onProgress: EnqueueCommand['onProgress'],
): Promise<VerdictRow[]> {
  const ended = new Set<string>();
  const give = new AbortController();
  const watch = setInterval(async () => {
    try {
      const ageMs = await lastJobRunAgeMs(db, 'sweep');
      if (ageMs === null || ageMs > NO_WORKER_AFTER_MS) give.abort();
    } catch (error) {
      give.abort(error);
    }
  }, NO_WORKER_AFTER_MS);
  onProgress({ done: 0, total: ids.length });
  try {
    for await (const verdict of awaitVerdicts(
      db,
      ids,
      sinceMs,
      AbortSignal.any([context.stop, give.signal]),
    )) {
      ended.add(verdict.serverId);
      onProgress({ done: ended.size, total: ids.length });
    }
  } finally {
    clearInterval(watch);
  }
  return await readVerdictRows(db, [...ended]);
}

/** The newest verdicts of these servers, as the table shows them. */
export async function readVerdictRows(db: Database, ids: string[]): Promise<VerdictRow[]> {
  const rows = await readServers(db, { ids });
  return rows.map(({ id, name, transport, verdict, reason, message, responseMs }) => ({
    id,
    name,
    transport,
    verdict: verdict ?? 'unknown',
    reason,
    message,
    responseMs,
  }));
}
