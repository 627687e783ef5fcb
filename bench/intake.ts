import { parseArgs } from 'node:util';
import { sql } from 'drizzle-orm';
import { runHealthRollup } from '../jobs/health-rollup.ts';
import { DEFAULT_SETTINGS } from '../src/core/settings/known-settings.ts';
import type { Database } from '../src/db/client.ts';
import { addUptime, insertHistory } from '../src/db/queries/store-statements.ts';
import { percentile, withBenchServers } from './history/open-bench.ts';

/** As the store writes them. */
const BATCH = 100;

export interface IntakeFigures {
  /** Milliseconds for a batch. */
  bareMs: number;
  historyMs: number;
  /** The history and the counters of the day. */
  intakeMs: number;
  /** Milliseconds of the rollup for each row, later and in the background. */
  rollupMsPerRow: number;
  rows: number;
}

/** A row as the store makes it, with metrics of the usual size. */
function rowOf(serverId: string, atMs: number) {
  const responseMs = Math.round(60 + Math.random() * 200);
  const phases = {
    dns: 1.2,
    connect: 3.4,
    tls: 12.1,
    firstByte: 20.2,
    handshake: 30.9,
    ping: 9.8,
    list: 42.2,
  };
  return {
    serverId,
    check: 'healthy',
    responseMs,
    message: null,
    checkedAt: new Date(atMs).toISOString(),
    counted: 1,
    up: 1,
    metrics: {
      version: '1.0.0',
      custom: {
        verdict: 'up',
        reason: 'ok',
        health: { registered: 'active', status: 'active', hard: true },
        transport: 'http',
        era: 'handshake',
        protocolVersion: '2025-11-25',
        phases,
        totalMs: responseMs,
        bytes: { sent: 2_000, received: 9_000 },
        manual: false,
      },
    },
  };
}

/** The same table with the same indexes, without what finds new rows. */
async function makeBareTable(db: Database): Promise<void> {
  await db.execute(sql`CREATE TABLE vitals.bench_check (LIKE mcp_server_health_check INCLUDING ALL)`);
  await db.execute(sql`ALTER TABLE vitals.bench_check DROP COLUMN vitals_xid`);
  await db.execute(
    sql`ALTER TABLE vitals.bench_check ADD FOREIGN KEY (server_id) REFERENCES mcp_server ON DELETE CASCADE`,
  );
}

const insertBare = (db: Database, rows: readonly ReturnType<typeof rowOf>[]) =>
  db.execute(sql`
    INSERT INTO vitals.bench_check (id, server_id, status, response_time, error_message, metrics, checked_at)
    VALUES ${sql.join(
      rows.map(
        (row) =>
          sql`(gen_random_uuid(), ${row.serverId}, ${row.check}, ${row.responseMs}::integer, ${row.message}, ${JSON.stringify(row.metrics)}::json, ${row.checkedAt}::timestamptz)`,
      ),
      sql`, `,
    )}`);

/** What health rows cost at intake, beside the bare INSERT of the same rows in turns, and at the rollup. */
export async function measureIntake(
  db: Database,
  ids: readonly string[],
  batches: number,
): Promise<IntakeFigures> {
  await makeBareTable(db);
  try {
    const bare: number[] = [];
    const history: number[] = [];
    const intake: number[] = [];
    let next = 0;
    for (let batch = -10; batch < batches; batch += 1) {
      const rows = Array.from({ length: BATCH }, () => {
        next += 1;
        return rowOf(ids[next % ids.length] ?? '', Date.now());
      });
      const bareAt = performance.now();
      await db.transaction(async (tx) => insertBare(tx as unknown as Database, rows));
      const bareMs = performance.now() - bareAt;
      const storeAt = performance.now();
      const historyMs = await db.transaction(async (tx) => {
        const json = JSON.stringify(rows);
        await insertHistory(tx, json);
        const ms = performance.now() - storeAt;
        await addUptime(tx, json);
        return ms;
      });
      const intakeMs = performance.now() - storeAt;
      if (batch < 0) continue;
      bare.push(bareMs);
      history.push(historyMs);
      intake.push(intakeMs);
    }
    const rollingUp = performance.now();
    const { rows } = await runHealthRollup({ db, readSettings: async () => DEFAULT_SETTINGS });
    const rollupMs = performance.now() - rollingUp;
    return {
      bareMs: percentile(bare, 0.5),
      historyMs: percentile(history, 0.5),
      intakeMs: percentile(intake, 0.5),
      rollupMsPerRow: rollupMs / Math.max(1, rows),
      rows,
    };
  } finally {
    await db.execute(sql`DROP TABLE vitals.bench_check`);
  }
}

/** Health rows in batches of 100: what intake costs beside the bare multi-row INSERT in the same run. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { servers: { type: 'string' }, batches: { type: 'string' } },
  });
  const servers = Number(values.servers ?? 1_000);
  await withBenchServers(servers, async (db, ids) => {
    const figures = await measureIntake(db, ids, Number(values.batches ?? 200));
    const { bareMs, historyMs, intakeMs, rollupMsPerRow } = figures;
    const line = (what: string, ms: number) =>
      console.log(
        `${what.padEnd(36)} ${ms.toFixed(2).padStart(7)} ms for ${BATCH} rows, ${(ms / bareMs).toFixed(2)} of it`,
      );
    console.log(`${BATCH} rows at a time, ${servers} servers, medians`);
    line('bare multi-row INSERT', bareMs);
    line('history alone', historyMs);
    line('history and the day’s counters', intakeMs);
    console.log(`at 1,000 rows a second: ${(intakeMs * 10).toFixed(0)} ms of each second`);
    line('rollup of them, in the background', rollupMsPerRow * BATCH);
  });
}
