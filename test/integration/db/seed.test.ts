import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { seedDatabase } from '../../../src/db/seed/seed-database.ts';
import { ALLOWED_VALUES, CONTRACT } from '../../fixtures/contract.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
const now = new Date('2026-03-04T05:06:07Z');

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

async function countRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of Object.keys(CONTRACT).sort()) {
    const [row] = await connection.sql`SELECT count(*)::int AS count FROM ${connection.sql(table)}`;
    counts[table] = row?.count ?? 0;
  }
  return counts;
}

describe('seed', () => {
  it('fills every table of the contract', async () => {
    const { inserted } = await seedDatabase(database.url, now);
    const counts = await countRows();
    expect(Object.keys(inserted).sort()).toEqual(Object.keys(CONTRACT).sort());
    expect(counts).toEqual(inserted);
    for (const [table, count] of Object.entries(counts)) expect(count, table).toBeGreaterThan(0);
  });

  it('changes nothing the second time, nor on another day', async () => {
    const before = await countRows();
    for (const later of [now, new Date('2026-03-05T23:59:59Z'), new Date('2026-04-30T12:00:00Z')]) {
      const { inserted } = await seedDatabase(database.url, later);
      expect(Object.values(inserted).every((count) => count === 0)).toBe(true);
    }
    expect(await countRows()).toEqual(before);
  });

  it('has values that the contract allows, and references that lead somewhere', async () => {
    const { sql } = connection;
    for (const [place, allowed] of Object.entries(ALLOWED_VALUES)) {
      const [table = '', column = ''] = place.split('.');
      const strange = await sql`
        SELECT DISTINCT ${sql(column)} AS value FROM ${sql(table)}
         WHERE ${sql(column)} IS NOT NULL AND NOT ${sql(column)} = ANY(${allowed})`;
      expect(strange, place).toEqual([]);
    }
    const lost = await sql`
      SELECT s.id FROM mcp_server s LEFT JOIN "user" u ON u.id = s.owner_id LEFT JOIN tenant t ON t.id = s.tenant_id
       WHERE u.id IS NULL OR (s.tenant_id IS NOT NULL AND t.id IS NULL)
      UNION ALL SELECT a.id::text FROM api_usage a LEFT JOIN mcp_server s ON s.id = a.server_id
       LEFT JOIN api_token k ON k.id = a.token_id WHERE s.id IS NULL OR k.id IS NULL`;
    expect(lost).toEqual([]);
  });

  it('has statistics that are the sum of its requests', async () => {
    const different = await connection.sql`
      SELECT s.id FROM api_usage_stats s
       CROSS JOIN LATERAL (SELECT count(*)::int AS requests, count(*) FILTER (WHERE u.status_code >= 400)::int AS errors
                             FROM api_usage u WHERE u.token_id = s.token_id
                              AND u.requested_at >= s.period_start AND u.requested_at < s.period_end) u
       WHERE s.total_requests <> u.requests OR s.total_errors <> u.errors`;
    expect(different).toEqual([]);
    const [sum] = await connection.sql`
      SELECT (SELECT sum(total_requests)::int FROM api_usage_stats) AS summed, (SELECT count(*)::int FROM api_usage) AS all`;
    expect(sum?.summed).toBe(sum?.all);
  });

  it('can be read back through relations', async () => {
    const tenants = await connection.db.query.tenant.findMany({
      with: {
        users: true,
        servers: { with: { tools: true } },
        members: true,
        invitations: true,
        usage: true,
      },
    });
    const northwind = tenants.find(({ slug }) => slug === 'northwind');
    expect(northwind?.users.length).toBe(northwind?.currentUsers);
    expect(northwind?.servers.flatMap(({ tools }) => tools).length).toBeGreaterThan(5);
  });
});
