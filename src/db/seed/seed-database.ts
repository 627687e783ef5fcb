import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { connectDatabase, type Database } from '../client.ts';
import { PARTITIONED_TABLES } from '../partitions/partitioned-tables.ts';
import * as schema from '../schema/index.ts';
import { seedAdmin } from './admin.ts';
import { seedApi } from './api.ts';
import { seedAudit } from './audit.ts';
import { createClock } from './deterministic.ts';
import { seedPeople } from './people.ts';
import { seedServers } from './servers.ts';
import { seedTenants } from './tenants.ts';

/** PostgreSQL takes 65,535 parameters a statement. */
const PARAMETERS = 60_000;

export interface SeedReport {
  /** How many rows each table got just now, in the order of the insertion; all 0 the second time. */
  inserted: Record<string, number>;
  /** How many tables got rows, and how many rows in all. */
  tables: number;
  rows: number;
}

type Seeder = Pick<Database, 'insert' | 'execute'>;

/** A partitioned table keeps its ids unique together with their time alone: at another time the row would be put in again. */
async function leaveOutKnown<T extends PgTable>(
  db: Seeder,
  table: T,
  rows: T['$inferInsert'][],
): Promise<T['$inferInsert'][]> {
  if (!PARTITIONED_TABLES.some((spec) => spec.table === getTableName(table))) return rows;
  const ids = JSON.stringify(rows.map((row) => ('id' in row ? row.id : null)));
  const known = await db.execute<{ id: string }>(sql`
    SELECT id::text AS id FROM ${table} WHERE id IN (SELECT jsonb_array_elements_text(${ids}::jsonb)::uuid)`);
  const knownIds = new Set(known.map(({ id }) => id));
  return rows.filter((row) => !('id' in row) || !knownIds.has(String(row.id)));
}

/** Rows that are there already (by any unique key) stay as they are. */
async function insertAll<T extends PgTable>(
  db: Seeder,
  table: T,
  given: T['$inferInsert'][],
): Promise<number> {
  const rows = await leaveOutKnown(db, table, given);
  const size = Math.floor(PARAMETERS / Object.keys(getTableColumns(table)).length);
  let inserted = 0;
  for (let start = 0; start < rows.length; start += size) {
    const result = await db
      .insert(table)
      .values(rows.slice(start, start + size))
      .onConflictDoNothing();
    inserted += result.count;
  }
  return inserted;
}

/** Fills every one of the 31 tables with believable development data: the same rows each time, so it may run twice. */
export async function seedDatabase(url: string, now: Date = new Date()): Promise<SeedReport> {
  const clock = createClock(now);
  const people = seedPeople(clock);
  const tenants = seedTenants(clock, people.users);
  const servers = seedServers(clock);
  const api = seedApi(clock);
  const audit = seedAudit(clock);
  const admin = seedAdmin(clock);
  const { db, close } = connectDatabase(url, { poolSize: 1, applicationName: 'mcp-vitals: seed' });
  const inserted: SeedReport['inserted'] = {};
  try {
    await db.transaction(async (tx) => {
      const put = async <T extends PgTable>(table: T, rows: T['$inferInsert'][]) => {
        inserted[getTableName(table)] = await insertAll(tx, table, rows);
      };
      await put(schema.tenant, tenants.tenants);
      await put(schema.user, people.users);
      await put(schema.account, people.accounts);
      await put(schema.session, people.sessions);
      await put(schema.twoFactorAuth, people.secondFactors);
      await put(schema.userPermission, people.permissions);
      await put(schema.verification, people.verifications);
      await put(schema.tenantMember, tenants.members);
      await put(schema.tenantInvitation, tenants.invitations);
      await put(schema.tenantUsage, tenants.usage);
      await put(schema.mcpServer, servers.servers);
      await put(schema.mcpTool, servers.tools);
      await put(schema.mcpResource, servers.resources);
      await put(schema.mcpPrompt, servers.prompts);
      await put(schema.mcpServerDependency, servers.dependencies);
      await put(schema.mcpServerHealthCheck, servers.checks);
      await put(schema.apiToken, api.tokens);
      await put(schema.rateLimitConfig, api.configs);
      await put(schema.rateLimitViolation, api.violations);
      await put(schema.apiUsage, api.usage);
      await put(schema.apiUsageStats, api.stats);
      await put(schema.auditLog, audit.entries);
      await put(schema.systemEvent, audit.events);
      await put(schema.errorLog, audit.errors);
      await put(schema.securityEvent, audit.security);
      await put(schema.featureFlag, admin.flags);
      await put(schema.featureFlagEvaluation, admin.evaluations);
      await put(schema.systemConfig, admin.config);
      await put(schema.maintenanceWindow, admin.windows);
      await put(schema.systemAnnouncement, admin.announcements);
      await put(schema.announcementAcknowledgment, admin.acknowledgments);
    });
    const counts = Object.values(inserted).filter((count) => count > 0);
    return { inserted, tables: counts.length, rows: counts.reduce((sum, count) => sum + count, 0) };
  } finally {
    await close();
  }
}
