import { type SQL, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AlertChange } from '../../../src/core/alerts/alert.ts';
import { NO_ALERTS } from '../../../src/core/alerts/alerts-config.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { recordAlertChanges } from '../../../src/db/queries/alerts.ts';
import { readPlanInput } from '../../../src/db/queries/outbox.ts';
import { alert, outbox, systemEvent } from '../../../src/db/schema/index.ts';
import { createTestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let connection: DatabaseConnection;

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  await registerServer(connection.db, { id: 'a' });
});
afterEach(async () => {
  await connection.close();
  await database.close();
});

const fire: AlertChange = {
  action: 'fire',
  kind: 'server_down',
  key: 'server_down:a',
  severity: 'error',
  serverId: 'a',
  tenantId: 't',
  title: 'a is down\u0000',
  description: null,
  data: { reason: 'refused' },
  atMs: 1_000,
};
const resolve: AlertChange = { action: 'resolve', key: 'server_down:a', atMs: 2_000 };

const isFew = (rows: number): boolean => rows < 100;

/** Every object within a plan. */
function nodesOf(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(nodesOf)];
}

describe('alerts', () => {
  test('fire once, however often they are said to, with an event and a place in the outbox', async () => {
    const { db } = connection;
    expect(await recordAlertChanges(db, [fire, fire])).toEqual({ fired: 1, resolved: 0 });
    expect(await recordAlertChanges(db, [fire])).toEqual({ fired: 0, resolved: 0 });
    const [row] = await db.select().from(alert);
    expect(row).toMatchObject({ key: 'server_down:a', title: 'a is down', resolvedAt: null });
    expect(await db.select().from(outbox)).toMatchObject([
      { alertId: row?.id, transition: 'fire', doneAt: null },
    ]);
    expect(await db.select().from(systemEvent)).toMatchObject([
      { id: row?.eventId, type: 'server_down', resourceId: 'a', status: 'active', tenantId: 't' },
    ]);
  });

  test('are resolved once, their event with them, and fire anew after that', async () => {
    const { db } = connection;
    expect(await recordAlertChanges(db, [resolve])).toEqual({ fired: 0, resolved: 0 });
    expect(await recordAlertChanges(db, [fire, resolve, fire])).toEqual({ fired: 2, resolved: 1 });
    const rows = await db.select().from(alert);
    expect(rows.map((row) => row.resolvedAt?.getTime() ?? null).sort()).toEqual([2_000, null]);
    const events = await db.select().from(systemEvent);
    expect(events.map((event) => event.status).sort()).toEqual(['active', 'resolved']);
    const waiting = await db.select().from(outbox).orderBy(outbox.id);
    expect(waiting.map((entry) => entry.transition)).toEqual(['fire', 'resolve', 'fire']);
  });

  test('leave nothing behind when their transaction is rolled back', async () => {
    const { db } = connection;
    await expect(
      db.transaction(async (tx) => {
        await recordAlertChanges(tx, [fire]);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await db.select().from(alert)).toEqual([]);
    expect(await db.select().from(outbox)).toEqual([]);
  });

  test('are planned from those that fire, however many there have been', async () => {
    const { db } = connection;
    await db.execute(sql`
      WITH past AS (
        INSERT INTO vitals.alert (key, kind, severity, title, started_at, resolved_at, event_id)
        SELECT 'server_down:' || n, 'server_down', 'error', 'was down', now(), now(), gen_random_uuid()
        FROM generate_series(1, 20000) n RETURNING id
      ), entries AS (
        INSERT INTO vitals.outbox (alert_id, transition, created_at, done_at) SELECT id, 'fire', now(), now() FROM past
      )
      INSERT INTO vitals.told (alert_id, channel, group_key, last_at, resolved_at) SELECT id, 'ops', id::text, now(), now() FROM past`);
    await db.execute(sql`ANALYZE vitals.alert, vitals.outbox, vitals.told`);
    await recordAlertChanges(db, [fire]);
    const read: Record<string, unknown>[] = [];
    const explaining = {
      async execute(query: SQL) {
        const [row] = await db.execute(sql`EXPLAIN (ANALYZE, FORMAT JSON) ${query}`);
        read.push(...nodesOf(row));
        return await db.execute(query);
      },
    };
    const planned = await readPlanInput(explaining as unknown as typeof db, NO_ALERTS);
    expect(planned.alerts).toMatchObject([{ key: 'server_down:a' }]);
    expect(planned.entries).toHaveLength(1);
    const scans = read.filter((node) => typeof node['Relation Name'] === 'string');
    expect(scans.length).toBeGreaterThan(3);
    for (const scan of scans) expect(scan).toMatchObject({ 'Actual Rows': expect.toSatisfy(isFew) });
  });
});
