import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { readMonitor, writeMonitor } from '../../../src/db/queries/monitor-settings.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

const settingsOf = async (id: string) => {
  const rows = await connection.db.execute<{ settings: unknown }>(
    sql`SELECT settings FROM mcp_server WHERE id = ${id}`,
  );
  return rows[0]?.settings;
};

test('settings are stored beside the gateway’s own, and taken away again', async () => {
  await registerServer(connection.db, { id: 'one', settings: { timeout: 700 } });
  expect(await readMonitor(connection.db, 'one')).toEqual({ monitor: null });
  expect(await writeMonitor(connection.db, 'one', { budget: { probesPerDay: 5 } })).toBe(true);
  expect(await settingsOf('one')).toEqual({ timeout: 700, monitor: { budget: { probesPerDay: 5 } } });
  expect(await readMonitor(connection.db, 'one')).toEqual({ monitor: { budget: { probesPerDay: 5 } } });
  expect(await writeMonitor(connection.db, 'one', null)).toBe(true);
  expect(await settingsOf('one')).toEqual({ timeout: 700 });
});

test.each([['null'], ['[1]'], ['"text"'], ['{"monitor":7}']])('over a column that holds %s', async (held) => {
  const id = `odd ${held}`;
  await registerServer(connection.db, { id });
  await connection.db.execute(sql`UPDATE mcp_server SET settings = ${held}::json WHERE id = ${id}`);
  expect(await writeMonitor(connection.db, id, { slo: { objective: 0.9 } })).toBe(true);
  expect(await settingsOf(id)).toEqual({ monitor: { slo: { objective: 0.9 } } });
});

test('of a server that is not registered there is nothing', async () => {
  expect(await readMonitor(connection.db, 'nobody')).toBeUndefined();
  expect(await writeMonitor(connection.db, 'nobody', {})).toBe(false);
});
