import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { loadConfig } from '../src/config/load-config.ts';
import { createDaemon } from '../src/daemon/daemon.ts';
import { queuePoolConfig } from '../src/daemon/queue-pool.ts';
import { connectDatabase } from '../src/db/client.ts';
import { insertServers } from '../src/db/queries/servers.ts';
import { createProber } from '../src/mcp/prober.ts';
import { targetOfText } from '../src/mcp/target.ts';
import { openQueueBackend } from '../src/queue/backend.ts';
import { type ProbeJob, type ProbeResult, QUEUES } from '../src/queue/definitions.ts';
import { enqueueManualProbes } from '../src/queue/manual-probes.ts';
import { startTinyMcp, type TinyMcp } from '../test/support/tiny-mcp.ts';

const PICKED_UP_WITHIN_MS = 500;

const quantile = (values: number[], share: number): number =>
  [...values].sort((one, other) => one - other)[
    Math.min(values.length - 1, Math.floor(values.length * share))
  ] ?? 0;

/** The time from `begin` to the next handshake at this path of the server. */
async function untilHandshake(tiny: TinyMcp, path: string, begin: () => Promise<unknown>): Promise<number> {
  const before = tiny.handshakes.get(path) ?? 0;
  const startedAt = performance.now();
  const begun = begin();
  while ((tiny.handshakes.get(path) ?? 0) === before) await sleep(1);
  const tookMs = performance.now() - startedAt;
  await begun;
  return tookMs;
}

const isIdle = ({ active = 0, waiting = 0, prioritized = 0, delayed = 0 }: Record<string, number>): boolean =>
  active + waiting + prioritized + delayed === 0;

/**
 * How soon an idle daemon begins a probe that somebody asked for, from the call that queues it to the
 * handshake at the server; the floor is the same probe without daemon, queue and database.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { probes: { type: 'string', default: '100' } } });
  const probes = Number(values.probes);
  const dataDir = mkdtempSync(join(tmpdir(), 'mcp-vitals-bench-'));
  const config = loadConfig(
    { ...process.env, VITALS_DATA_DIR: dataDir, VITALS_HTTP_PORT: '0' },
    process.cwd(),
  );
  const tiny = await startTinyMcp();
  const prober = createProber({ clientInfo: { name: 'bench', version: '0' } });
  const daemon = createDaemon({ config, logger: pino({ level: 'warn' }), version: '0.0.0-bench' });
  try {
    const { databaseUrl } = await daemon.start();
    const connection = connectDatabase(databaseUrl);
    const backend = await openQueueBackend(
      { redisUrl: config.redisUrl, postgres: await queuePoolConfig({ ...connection, url: databaseUrl }) },
      (source, error) => console.error(source, error.message),
      console.error,
    );
    const queue = backend.queue<ProbeJob, ProbeResult>(QUEUES.probe);
    const url = `${tiny.url}/queued`;
    const server = { id: 'bench', name: 'bench', version: '', endpointUrl: url, ownerId: 'bench' };
    await untilHandshake(tiny, '/queued', () =>
      insertServers(connection.db, [{ ...server, transportType: 'http' }]),
    );
    const target = targetOfText([`${tiny.url}/direct`], { timeoutMs: 5_000 });
    if ('kind' in target) throw new Error(target.message);

    const queued: number[] = [];
    const direct: number[] = [];
    for (let index = 0; index < probes; index += 1) {
      // One that is still in flight would be joined, and bring no handshake of its own.
      while (!isIdle(await queue.counts())) await sleep(5);
      // Idle, as a daemon is when a person asks; and out of step with its sweeps.
      await sleep(50 + Math.random() * 100);
      queued.push(await untilHandshake(tiny, '/queued', () => enqueueManualProbes(queue, ['bench'])));
      direct.push(await untilHandshake(tiny, '/direct', () => prober.probe(target)));
    }
    const [p50, p95] = [quantile(queued, 0.5), quantile(queued, 0.95)];
    const late = queued.filter((ms) => ms > PICKED_UP_WITHIN_MS).length;
    console.log(`queue on ${backend.kind}, ${probes} manual probes of an idle daemon`);
    console.log(
      `queued   p50 ${p50.toFixed(1)} ms   p95 ${p95.toFixed(1)} ms   later than ${PICKED_UP_WITHIN_MS} ms: ${late}`,
    );
    console.log(
      `direct   p50 ${quantile(direct, 0.5).toFixed(1)} ms   p95 ${quantile(direct, 0.95).toFixed(1)} ms`,
    );
    console.log(`ratio    p50 ${(p50 / quantile(direct, 0.5)).toFixed(1)}`);
    await queue.close();
    await backend.close();
    await connection.close();
  } finally {
    await daemon.stop();
    await prober.close();
    await tiny.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}
