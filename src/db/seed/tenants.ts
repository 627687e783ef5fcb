import type { tenant, tenantInvitation, tenantMember, tenantUsage, user } from '../schema/index.ts';
import { type Clock, createDice, sha256, uuidOf } from './deterministic.ts';
import { tenantId, userId } from './people.ts';

const TENANTS = [
  ['northwind', 'Northwind Research', 'enterprise', 'active', 'ines'],
  ['harbour', 'Harbour Analytics', 'professional', 'active', 'aiko'],
  ['tinyshop', 'Tiny Shop', 'free', 'active', 'luca'],
  ['mothballed', 'Mothballed GmbH', 'starter', 'suspended', 'oskar'],
] as const;

const LIMITS = { enterprise: 500, professional: 50, starter: 20, free: 5 } as const;
const PERIODS = 3;

/** Four tenants, from an enterprise to a suspended one, with members, open invitations and three months of use. */
export function seedTenants(clock: Clock, users: (typeof user.$inferInsert)[]) {
  const dice = createDice('tenants');
  const tenants: (typeof tenant.$inferInsert)[] = TENANTS.map(
    ([slug, name, planType, status, owner], place) => ({
      id: tenantId(slug),
      name,
      slug,
      domain: planType === 'free' ? null : `${slug}.example`,
      status,
      createdAt: clock.daysAgo(220 - place * 30),
      updatedAt: clock.daysAgo(place),
      ownerId: userId(owner),
      billingEmail: `billing@${slug}.example`,
      maxUsers: LIMITS[planType] * 2,
      maxServers: LIMITS[planType],
      maxApiCalls: LIMITS[planType] * 20_000,
      features: {
        apiAccess: true,
        webhooks: planType !== 'free',
        sso: planType === 'enterprise',
        advancedAnalytics: planType === 'enterprise' || planType === 'professional',
      },
      settings: {
        allowUserRegistration: planType === 'free',
        requireEmailVerification: true,
        sessionTimeout: 60 * 12,
        passwordPolicy: { minLength: 12, requireNumbers: true },
        rateLimits: { api: LIMITS[planType] * 10, login: 20 },
      },
      currentUsers: users.filter((person) => person.tenantId === tenantId(slug)).length,
      currentMonthApiCalls: dice.between(1_000, LIMITS[planType] * 10_000),
      planType,
      subscriptionStatus: status === 'suspended' ? 'unpaid' : 'active',
      currentPeriodStart: clock.daysAgo(12),
      currentPeriodEnd: clock.daysAgo(-18),
      dataRegion: dice.pick(['us-east-1', 'eu-central-1']),
      contactEmail: `hello@${slug}.example`,
      supportPlan:
        planType === 'enterprise' ? 'enterprise' : planType === 'professional' ? 'priority' : 'community',
    }),
  );
  return { tenants, ...seedMembership(clock, users), usage: seedUsage(clock) };
}

function seedMembership(clock: Clock, users: (typeof user.$inferInsert)[]) {
  const owners = new Set<string>(TENANTS.map(([, , , , owner]) => userId(owner)));
  const members: (typeof tenantMember.$inferInsert)[] = users.flatMap(({ id, tenantId: tenant, role }) => {
    if (!tenant) return [];
    const owner = owners.has(id);
    const writes = owner || role === 'server_owner';
    return {
      id: uuidOf(`member ${id}`),
      tenantId: tenant,
      userId: id,
      role: owner ? ('owner' as const) : writes ? ('admin' as const) : ('member' as const),
      status: 'active' as const,
      invitedAt: clock.daysAgo(101),
      joinedAt: clock.daysAgo(100),
      permissions: { servers: { read: true, write: writes, delete: owner }, audit: { read: owner } },
      lastAccessAt: clock.daysAgo(1),
    };
  });
  const invitations: (typeof tenantInvitation.$inferInsert)[] = [
    { tenant: 'northwind', inviter: 'ines', status: 'pending' as const, days: 2 },
    { tenant: 'harbour', inviter: 'aiko', status: 'accepted' as const, days: 40 },
    { tenant: 'tinyshop', inviter: 'luca', status: 'expired' as const, days: 60 },
  ].map(({ tenant, inviter, status, days }) => ({
    id: uuidOf(`invitation ${tenant}`),
    tenantId: tenantId(tenant),
    email: `new-colleague@${tenant}.example`,
    token: sha256(`invitation ${tenant}`),
    status,
    createdAt: clock.daysAgo(days),
    expiresAt: clock.daysAgo(days - 14),
    acceptedAt: status === 'accepted' ? clock.daysAgo(days - 1) : null,
    invitedBy: userId(inviter),
    message: 'Join us to share our servers.',
  }));
  return { members, invitations };
}

function seedUsage(clock: Clock): (typeof tenantUsage.$inferInsert)[] {
  const dice = createDice('tenant usage');
  const { now } = clock;
  const month = (back: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1));
  return TENANTS.flatMap(([slug, , planType]) =>
    Array.from({ length: PERIODS }, (_, back) => {
      const calls = dice.between(500, LIMITS[planType] * 5_000);
      const failed = Math.round(calls * 0.02);
      return {
        id: uuidOf(`usage ${slug} ${back}`),
        tenantId: tenantId(slug),
        periodStart: month(back),
        periodEnd: month(back - 1),
        apiCalls: calls,
        storageBytes: dice.between(1_000_000, 900_000_000),
        activeUsers: dice.between(1, 5),
        activeServers: dice.between(1, 6),
        usageDetails: {
          apiCallsByStatus: { '2xx': calls - failed, '5xx': failed },
          apiCallsByEndpoint: {
            '/v1/servers': Math.round(calls / 2),
            '/v1/tools/call': Math.round(calls / 2),
          },
        },
      };
    }),
  );
}
