import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/client.ts';

export interface Traffic {
  rows: number;
  /** The days that it is spread over, before `now()`. */
  days: number;
  /** So many days before `now()` it ends; at `now()` where it is not given. */
  endedDaysAgo?: number;
  servers: number;
  tenants: number;
  tokens: number;
  /** Another one gives other traffic of the same kind. */
  seed: number;
}

/** The tenants and servers that traffic is of. */
export async function registerTraffic(db: Database, { servers, tenants }: Traffic): Promise<void> {
  await db.execute(sql`INSERT INTO tenant (id, name, slug, owner_id, created_at, updated_at)
    SELECT 'tenant-' || n, 'Tenant ' || n, 'tenant-' || n, 'owner', now(), now() FROM generate_series(0, ${tenants - 1}::int) n`);
  await db.execute(sql`
    INSERT INTO mcp_server (id, name, version, endpoint_url, transport_type, owner_id, tenant_id, created_at, updated_at)
    SELECT 'server-' || n, 'Server ' || n, '1', 'http://127.0.0.1:1/' || n, 'http', 'owner',
      'tenant-' || n % ${tenants}::int, now(), now() FROM generate_series(0, ${servers - 1}::int) n`);
}

/**
 * Calls as agents make them: bursts of some twenty from one token and address to one server, few servers with
 * most of them (Zipf), more by day than by night, response times that are lognormal, some errors, and rows that
 * were stored some minutes after their time. Made in PostgreSQL, the same for the same seed.
 */
export async function insertTraffic(db: Pick<Database, 'execute'>, traffic: Traffic): Promise<void> {
  const { rows, days, endedDaysAgo = 0, servers, tenants, tokens, seed } = traffic;
  await db.execute(sql`SELECT setseed(${seed % 1}::float8)`);
  await db.execute(sql`
    INSERT INTO api_usage (token_id, user_id, tenant_id, server_id, path, method, status_code, response_time,
      request_size, response_size, ip_address, user_agent, metadata, requested_at)
    SELECT md5('token ' || s.token)::uuid, 'user-' || s.token / 2, 'tenant-' || s.token % ${tenants}::int, 'server-' || s.server,
      CASE WHEN r < 0.7 THEN '/v1/servers/server-' || s.server || '/mcp' WHEN r < 0.9 THEN '/v1/tools/call'
        ELSE '/v1/servers/server-' || s.server || '/tools/search' END,
      'POST', CASE WHEN r2 < 0.95 THEN 200 WHEN r2 < 0.98 THEN 404 ELSE 502 END,
      round(exp(3.5 + s.server % 5 * 0.3 + 0.8 * sqrt(-2 * ln(1 - r3)) * cos(6.2831853 * r4)))::int,
      200 + (r * 800)::int, 500 + (r2 * 9000)::int, '203.0.' || s.token % 250 || '.' || s.address, 'mcp-client/1.4',
      CASE WHEN r4 < 0.1 THEN '{"custom":{"tool":"search"}}'::json END,
      s.at + r3 * interval '5 minutes'
    FROM (
      SELECT n, least(${servers - 1}::int, floor(exp(random() * ln(${servers}::float8 + 1)) - 1))::int AS server,
        floor(random() * random() * ${tokens}::int)::int AS token, (random() * 2)::int AS address,
        now() - interval '6 minutes' - ${endedDaysAgo}::float8 * interval '1 day' - ${days}::float8 * interval '1 day' * ((n + random()) / greatest(1, ${rows}::int / 20))
          - (1 + sin(6.2831853 * n * ${days}::float8 / greatest(1, ${rows}::int / 20))) * interval '90 minutes' AS at
      FROM generate_series(0, ${rows}::int / 20 - 1) n) s
    CROSS JOIN LATERAL (SELECT random() AS r, random() AS r2, random() AS r3, random() AS r4 FROM generate_series(1, 20) g
      WHERE s.n IS NOT NULL) c`);
}
