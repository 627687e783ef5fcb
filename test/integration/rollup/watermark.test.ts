import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase, type Database, type DatabaseConnection } from '../../../src/db/client.ts';
import {
  ARRIVAL_COLUMN,
  HEALTH_SOURCE,
  indexArrivals,
  USAGE_SOURCE,
} from '../../../src/db/rollup/arrivals.ts';
import {
  isNew,
  isTaken,
  moveBackfill,
  moveWatermark,
  readWatermark,
  restartWatermark,
  takeWatermark,
} from '../../../src/db/rollup/watermark.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { awaitOtherTransactions } from '../../support/other-transactions.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 6 });
  db = connection.db;
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  await db.execute(sql`DELETE FROM api_usage`);
  await db.execute(sql`DELETE FROM vitals.rollup_watermark`);
});

type Session = Pick<Database, 'execute'>;
const call = (session: Session, path: string) =>
  session.execute(sql`
    INSERT INTO api_usage (path, method, status_code, requested_at) VALUES (${path}, 'GET', 200, now())`);
/** What one run of a rollup takes. */
const takeNew = async () => {
  await awaitOtherTransactions(db);
  return db.transaction(async (tx) => {
    const mark = await takeWatermark(tx, 'test');
    if (!mark) return null;
    const rows = await tx.execute<{ path: string }>(
      sql`SELECT path FROM api_usage WHERE ${isNew(mark)} ORDER BY path`,
    );
    await moveWatermark(tx, mark);
    return rows.map(({ path }) => path);
  });
};
/** A transaction that has written and stays open until `commit`. */
async function openWriter(path: string): Promise<() => Promise<void>> {
  let commit: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let written: () => void = () => undefined;
  const wrote = new Promise<void>((resolve) => {
    written = resolve;
  });
  const ended = db.transaction(async (tx) => {
    await call(tx, path);
    written();
    await told;
  });
  await wrote;
  return async () => {
    commit();
    await ended;
  };
}

describe('new rows', () => {
  test('are taken once, whatever the order in which their transactions end', async () => {
    const first = await openWriter('first');
    await call(db, 'second');
    expect(await takeNew()).toEqual([]);
    const third = await openWriter('third');
    await first();
    expect(await takeNew()).toEqual(['first', 'second']);
    await call(db, 'fourth');
    await third();
    expect(await takeNew()).toEqual(['fourth', 'third']);
    expect(await takeNew()).toEqual([]);
  });

  test('of a transaction that was undone are none', async () => {
    await db
      .transaction(async (tx) => {
        await call(tx, 'undone');
        throw new Error('undo');
      })
      .catch(() => undefined);
    await call(db, 'done');
    expect(await takeNew()).toEqual(['done']);
  });

  test('stay new when the run that took them fails', async () => {
    await call(db, 'one');
    await expect(
      db.transaction(async (tx) => {
        const mark = await takeWatermark(tx, 'test');
        if (mark) await moveWatermark(tx, mark);
        throw new Error('the disk is full');
      }),
    ).rejects.toThrow('full');
    expect(await takeNew()).toEqual(['one']);
  });

  test('are found by their index in a large table', async () => {
    await db.execute(sql`
      INSERT INTO api_usage (path, method, status_code, requested_at)
      SELECT 'old', 'GET', 200, now() FROM generate_series(1, 30000)`);
    await takeNew();
    await call(db, 'new');
    await db.execute(sql`ANALYZE api_usage`);
    await awaitOtherTransactions(db);
    const mark = await db.transaction((tx) => takeWatermark(tx, 'test'));
    const plan = await db.execute<{ 'QUERY PLAN': string }>(
      sql`EXPLAIN ANALYZE SELECT path FROM api_usage WHERE ${isNew(mark ?? { nextXid: 0, horizonXid: 0 })}`,
    );
    // Each partition has its part of the index, under a name of its own; the empty ones are not worth one.
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('Bitmap Index Scan');
    expect(text).not.toMatch(/Rows Removed by Filter: \d{4}/);
  });
});

test.each([USAGE_SOURCE, HEALTH_SOURCE])(
  'the index is there after the migrations: $table',
  async ({ table, timeColumn }) => {
    const rows = await db.execute<{ indexed: boolean; timed: boolean }>(sql`
    SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass(${table}) AND i.indisvalid
        AND i.indexrelid = to_regclass(${`${table}_${ARRIVAL_COLUMN}_idx`})) AS indexed,
      EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(${table}) AND attname = ${timeColumn}) AS timed`);
    expect([...rows]).toEqual([{ indexed: true, timed: true }]);
  },
);

describe('the watermark', () => {
  test('is one replica’s at a time', async () => {
    await call(db, 'one');
    const other = await db.transaction(async (tx) => {
      await takeWatermark(tx, 'test');
      return takeNew();
    });
    expect(other).toBeNull();
    expect(await takeNew()).toEqual(['one']);
  });

  test('knows since when nothing is missing: not since a transaction began that is still open', async () => {
    await takeNew();
    const writer = await openWriter('slow');
    const before = await readWatermark(db, 'test');
    await takeNew();
    await takeNew();
    const meanwhile = await readWatermark(db, 'test');
    await writer();
    await takeNew();
    await takeNew();
    const after = await readWatermark(db, 'test');
    expect(before?.takenAtMs).toBeNull();
    expect(meanwhile?.horizonXid).toBe(meanwhile?.nextXid);
    expect(after?.takenAtMs).toBeGreaterThan(meanwhile?.takenAtMs ?? 0);
  });

  test('begins anew in another cluster, where what was there belongs to the backfill', async () => {
    await call(db, 'one');
    await takeNew();
    await db.transaction(async (tx) => {
      await takeWatermark(tx, 'test');
      await moveBackfill(tx, 'test', null);
    });
    await call(db, 'two');
    // As a restored dump has it: ids of the old cluster, which are far ahead of those that are given now.
    await db.execute(sql`UPDATE api_usage SET vitals_xid = vitals_xid + 1000000`);
    await db.execute(
      sql`UPDATE vitals.rollup_watermark SET system_identifier = '1', next_xid = next_xid + 1000000`,
    );
    await db.transaction(async (tx) => {
      const mark = await takeWatermark(tx, 'test');
      expect(mark?.moved).toBe(true);
      await restartWatermark(tx, 'test', USAGE_SOURCE);
    });
    await indexArrivals(db, USAGE_SOURCE);
    const mark = await readWatermark(db, 'test');
    expect(mark).toMatchObject({ moved: false, nextXid: 0, backfilledToMs: null, backfillDone: false });
    const rest = await db.execute<{ path: string }>(
      sql`SELECT path FROM api_usage WHERE ${isTaken({ nextXid: 0 })} ORDER BY path`,
    );
    expect(rest.map(({ path }) => path)).toEqual(['one', 'two']);
    await call(db, 'three');
    expect(await takeNew()).toEqual(['three']);
  });
});

test('the index of new rows is made on each partition of a partitioned table', async () => {
  await db.transaction(async (tx) => {
    await tx.execute(sql`ALTER TABLE api_usage RENAME TO api_usage_all`);
    await tx.execute(sql`DROP INDEX api_usage_vitals_xid_idx`);
    await tx.execute(
      sql`CREATE TABLE api_usage (LIKE api_usage_all INCLUDING DEFAULTS) PARTITION BY RANGE (requested_at)`,
    );
    await tx.execute(sql`CREATE TABLE api_usage_default PARTITION OF api_usage DEFAULT`);
  });
  await indexArrivals(db, USAGE_SOURCE);
  await indexArrivals(db, USAGE_SOURCE);
  await db.execute(
    sql`CREATE TABLE api_usage_2040 PARTITION OF api_usage FOR VALUES FROM ('2040-01-01') TO ('2041-01-01')`,
  );
  const indexes = await db.execute<{ table: string; valid: boolean }>(sql`
    SELECT i.indrelid::regclass::text AS table, i.indisvalid AS valid FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE a.attname = ${ARRIVAL_COLUMN} AND i.indrelid::regclass::text LIKE 'api_usage%' ORDER BY 1`);
  expect([...indexes]).toEqual([
    { table: 'api_usage', valid: true },
    { table: 'api_usage_2040', valid: true },
    { table: 'api_usage_default', valid: true },
  ]);
});
