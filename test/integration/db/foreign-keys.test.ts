import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 1 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

test('a row that goes finds those that refer to it by an index', async () => {
  const without = await connection.sql`
    SELECT c.conrelid::regclass || ' → ' || c.confrelid::regclass AS key FROM pg_constraint c
    WHERE c.contype = 'f' AND c.connamespace IN ('public'::regnamespace, 'vitals'::regnamespace)
      AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisvalid
        AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)
      -- Users come and go by the gateway alone.
      AND c.confrelid <> '"user"'::regclass
    ORDER BY 1`;
  expect(without.map(({ key }) => key)).toEqual([]);
});
