import { and, desc, eq, gte } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import * as schema from '../../../src/db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;

const { user, tenant, session, account, twoFactorAuth, userPermission, mcpServer, mcpTool } = schema;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  const { db } = connection;
  const now = new Date();
  const people = [
    {
      id: 'ada',
      name: 'Ada',
      email: 'ada@example.org',
      tenantId: 'acme',
      preferences: { theme: 'dark' as const },
    },
    { id: 'bob', name: 'Bob', email: 'bob@example.org', tenantId: 'acme', isActive: false },
    { id: 'eve', name: 'Eve', email: 'eve@example.org' },
  ];
  await db.insert(user).values(people);
  await db.insert(tenant).values({ id: 'acme', name: 'Acme', slug: 'acme', ownerId: 'ada' });
  const made = { createdAt: now, updatedAt: now };
  await db.insert(session).values({ id: 's1', token: 't1', userId: 'ada', expiresAt: now, ...made });
  await db.insert(account).values({ id: 'a1', accountId: 'x', providerId: 'github', userId: 'ada', ...made });
  await db.insert(twoFactorAuth).values({ userId: 'ada', secret: 'secret', backupCodes: ['one', 'two'] });
  await db.insert(userPermission).values({ userId: 'ada', permission: 'servers:read', grantedBy: 'bob' });
  const server = { version: '1', endpointUrl: 'http://127.0.0.1:1/mcp', transportType: 'http' as const };
  await db.insert(mcpServer).values([
    { id: 'one', name: 'One', ownerId: 'ada', tenantId: 'acme', ...server },
    { id: 'two', name: 'Two', ownerId: 'bob', ...server },
  ]);
  await db.insert(mcpTool).values({ serverId: 'one', name: 'echo', inputSchema: { type: 'object' } });
  await db.insert(schema.mcpServerDependency).values({ serverId: 'one', dependsOnServerId: 'two' });
  await db
    .insert(schema.mcpServerHealthCheck)
    .values({ serverId: 'one', status: 'healthy', responseTime: 7 });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

describe('relations', () => {
  it('give a user its tenant, sessions, accounts, second factor and permissions, typed', async () => {
    const users = await connection.db.query.user.findMany({
      with: { tenant: true, sessions: true, accounts: true, twoFactorAuth: true, permissions: true },
      orderBy: user.id,
    });
    const [ada, , eve] = users;
    expect(ada?.tenant?.slug).toBe('acme');
    expect(ada?.sessions.map(({ id }) => id)).toEqual(['s1']);
    expect(ada?.accounts.map(({ providerId }) => providerId)).toEqual(['github']);
    expect(ada?.twoFactorAuth?.backupCodes).toEqual(['one', 'two']);
    expect(ada?.permissions.map(({ permission }) => permission)).toEqual(['servers:read']);
    expect(ada?.preferences).toEqual({ theme: 'dark' });
    expect(eve?.tenant).toBeNull();
    expectTypeOf(users[0]?.role).toEqualTypeOf<'admin' | 'server_owner' | 'user' | undefined>();
    expectTypeOf(users[0]?.preferences?.theme).toEqualTypeOf<'light' | 'dark' | 'system' | undefined>();
  });

  it('tell the holder of a permission from the one who granted it', async () => {
    const permission = await connection.db.query.userPermission.findFirst({
      with: { user: true, grantedByUser: true },
    });
    expect(permission?.user.id).toBe('ada');
    expect(permission?.grantedByUser?.id).toBe('bob');
  });

  it('tell what a server needs from what needs it', async () => {
    const servers = await connection.db.query.mcpServer.findMany({
      with: {
        owner: true,
        tenant: true,
        tools: true,
        resources: true,
        prompts: true,
        healthChecks: true,
        usage: true,
        state: true,
        dependencies: { with: { dependsOnServer: true } },
        dependents: { with: { server: true } },
      },
      orderBy: mcpServer.id,
    });
    const [one, two] = servers;
    expect(one?.owner?.id).toBe('ada');
    expect(one?.tools.map(({ name }) => name)).toEqual(['echo']);
    expect(one?.healthChecks[0]?.responseTime).toBe(7);
    expect(one?.dependencies.map((edge) => edge.dependsOnServer.id)).toEqual(['two']);
    expect(one?.dependents).toEqual([]);
    expect(two?.dependents.map((edge) => edge.server.id)).toEqual(['one']);
    expect(two?.state).toBeNull();
  });

  it('resolve for every relation of every table', async () => {
    const { db } = connection;
    const seen: string[] = [];
    for (const [key, { relations }] of Object.entries(db._.schema ?? {})) {
      const query: { findMany(options: object): Promise<unknown> } = Reflect.get(db.query, key);
      for (const relation of Object.keys(relations)) {
        await query.findMany({ with: { [relation]: true }, limit: 1 });
        seen.push(`${key}.${relation}`);
      }
    }
    expect(seen).toEqual(expect.arrayContaining(CONTRACT_RELATIONS));
  });

  it('leave filtered selects as typed as ever', async () => {
    const rows = await connection.db
      .select({ id: mcpServer.id, owner: user.name, status: mcpServer.status })
      .from(mcpServer)
      .innerJoin(user, eq(user.id, mcpServer.ownerId))
      .where(and(eq(mcpServer.transportType, 'http'), gte(mcpServer.createdAt, new Date(0))))
      .orderBy(desc(mcpServer.name));
    expect(rows.map(({ id, owner }) => `${id} ${owner}`)).toEqual(['two Bob', 'one Ada']);
    expectTypeOf(rows[0]?.status).toEqualTypeOf<
      'active' | 'inactive' | 'error' | 'maintenance' | undefined
    >();
  });

  it('updatedAt follows an update', async () => {
    const { db } = connection;
    const before = await db.query.tenant.findFirst();
    await db.update(tenant).set({ name: 'Acme Ltd' }).where(eq(tenant.id, 'acme'));
    const after = await db.query.tenant.findFirst();
    expect(after?.updatedAt.getTime()).toBeGreaterThanOrEqual(before?.updatedAt.getTime() ?? Number.NaN);
    expect(after?.createdAt).toEqual(before?.createdAt);
  });
});

const CONTRACT_RELATIONS = [
  ...['tenant', 'sessions', 'accounts', 'twoFactorAuth', 'permissions'].map((name) => `user.${name}`),
  ...['users', 'members', 'invitations', 'usage', 'servers', 'apiTokens'].map((name) => `tenant.${name}`),
  ...[
    'tenant',
    'owner',
    'tools',
    'resources',
    'prompts',
    'dependencies',
    'dependents',
    'healthChecks',
    'usage',
  ].map((name) => `mcpServer.${name}`),
  ...['user', 'tenant', 'usage', 'violations', 'usageStats'].map((name) => `apiToken.${name}`),
  'featureFlag.evaluations',
  'systemAnnouncement.acknowledgments',
  ...['session.user', 'account.user', 'twoFactorAuth.user', 'userPermission.user', 'tenantMember.tenant'],
  ...[
    'tenantInvitation.tenant',
    'tenantUsage.tenant',
    'mcpTool.server',
    'mcpResource.server',
    'mcpPrompt.server',
  ],
  ...[
    'mcpServerDependency.server',
    'mcpServerHealthCheck.server',
    'apiUsage.token',
    'rateLimitViolation.token',
  ],
  ...['apiUsageStats.token', 'featureFlagEvaluation.flag', 'announcementAcknowledgment.announcement'],
];
