import type {
  apiToken,
  apiUsage,
  apiUsageStats,
  rateLimitConfig,
  rateLimitViolation,
} from '../schema/index.ts';
import { type Clock, createDice, sha256, uuidOf } from './deterministic.ts';
import { tenantId, userId } from './people.ts';
import { SEEDED_SERVERS } from './servers.ts';

const TOKENS = [
  { name: 'notebook', owner: 'priya', tenant: 'northwind', type: 'personal' as const },
  { name: 'nightly-import', owner: 'tomasz', tenant: 'northwind', type: 'service' as const },
  { name: 'dashboard', owner: 'aiko', tenant: 'harbour', type: 'integration' as const },
  { name: 'shop-hook', owner: 'luca', tenant: 'tinyshop', type: 'webhook' as const },
] as const;
const USAGE_DAYS = 14;
const REQUESTS_A_DAY = 60;
const PATHS = ['/v1/servers', '/v1/tools/call', '/v1/resources/read', '/v1/health'] as const;

type Usage = typeof apiUsage.$inferInsert;

const tokenId = (name: string): string => uuidOf(`token ${name}`);

/** Four tokens, two weeks of requests made with them, the days summed, and what was turned away. */
export function seedApi(clock: Clock) {
  const tokens: (typeof apiToken.$inferInsert)[] = TOKENS.map(({ name, owner, tenant, type }, place) => ({
    id: tokenId(name),
    name,
    description: `${name} of ${tenant}`,
    tokenHash: sha256(`token ${name}`),
    tokenPrefix: `mcp_${sha256(name).slice(0, 6)}`,
    userId: userId(owner),
    tenantId: tenantId(tenant),
    scopes: ['servers:read', 'tools:call'],
    type,
    rateLimit: { rpm: 120, burst: 20 },
    usageCount: USAGE_DAYS * REQUESTS_A_DAY,
    lastUsedAt: clock.daysAgo(place / 10),
    expiresAt: type === 'personal' ? clock.daysAgo(-60) : null,
    createdAt: clock.daysAgo(90 - place),
    updatedAt: clock.daysAgo(1),
  }));
  const usage = TOKENS.flatMap((token) => seedUsage(clock, token));
  return { tokens, usage, stats: sumUsage(clock, usage), ...seedLimits(clock) };
}

function seedUsage(clock: Clock, { name, owner, tenant }: (typeof TOKENS)[number]): Usage[] {
  const dice = createDice(`usage ${name}`);
  const servers = SEEDED_SERVERS.filter((server) => server.tenant === tenant || server.tenant === null);
  return Array.from({ length: USAGE_DAYS * REQUESTS_A_DAY }, (_, place) => {
    const statusCode = dice.chance(0.03)
      ? dice.pick([500, 502, 504] as const)
      : dice.chance(0.04)
        ? 429
        : 200;
    return {
      id: uuidOf(`request ${name} ${place}`),
      tokenId: tokenId(name),
      userId: userId(owner),
      tenantId: tenantId(tenant),
      serverId: servers[place % servers.length]?.id ?? null,
      path: dice.pick(PATHS),
      method: dice.chance(0.5) ? 'POST' : 'GET',
      statusCode,
      responseTime: dice.between(8, statusCode >= 500 ? 9_000 : 600),
      requestSize: dice.between(80, 4_000),
      responseSize: dice.between(200, 60_000),
      ipAddress: `203.0.113.${dice.between(2, 60)}`,
      userAgent: 'mcp-client/1.4',
      country: dice.pick(['DE', 'US', 'JP'] as const),
      errorCode: statusCode >= 400 ? `http_${statusCode}` : null,
      metadata: { requestId: uuidOf(`request id ${name} ${place}`) },
      requestedAt: clock.daysBeforeToday((place + 1) / REQUESTS_A_DAY),
    };
  });
}

/** A row of statistics for each day and token, of exactly the requests above. */
function sumUsage(clock: Clock, usage: Usage[]): (typeof apiUsageStats.$inferInsert)[] {
  const days = TOKENS.flatMap(({ name }) =>
    Array.from({ length: USAGE_DAYS }, (_, place) => {
      const [start, end] = [clock.daysBeforeToday(place + 1), clock.daysBeforeToday(place)];
      const requests = usage.filter(
        ({ tokenId: token, requestedAt }) =>
          token === tokenId(name) && requestedAt && requestedAt >= start && requestedAt < end,
      );
      return { key: `${name} ${place}`, start, end, requests };
    }),
  );
  return days.map(({ key, start, end, requests }) => {
    const [first] = requests;
    const total = (pick: (request: Usage) => number) =>
      requests.reduce((sum, request) => sum + pick(request), 0);
    const errors = requests.filter(({ statusCode }) => statusCode >= 400).length;
    const ofClass = (hundreds: number) =>
      requests.filter(({ statusCode }) => Math.floor(statusCode / 100) === hundreds).length;
    return {
      id: uuidOf(`stats ${key}`),
      tenantId: first?.tenantId,
      userId: first?.userId,
      tokenId: first?.tokenId,
      periodType: 'day' as const,
      periodStart: start,
      periodEnd: end,
      totalRequests: requests.length,
      totalErrors: errors,
      avgResponseTime: (total(({ responseTime }) => responseTime ?? 0) / requests.length).toFixed(3),
      totalDataTransfer: total((request) => (request.requestSize ?? 0) + (request.responseSize ?? 0)),
      uniqueIps: new Set(requests.map(({ ipAddress }) => ipAddress)).size,
      statusBreakdown: { '2xx': ofClass(2), '4xx': ofClass(4), '5xx': ofClass(5) },
      endpointBreakdown: {},
    };
  });
}

function seedLimits(clock: Clock) {
  const dice = createDice('violations');
  const configs: (typeof rateLimitConfig.$inferInsert)[] = (['global', 'tenant', 'token'] as const).map(
    (scope, place) => ({
      id: uuidOf(`limit ${scope}`),
      name: `${scope} default`,
      description: `What a ${scope} may do unless told otherwise`,
      rules: [{ path: '/v1/*', rpm: 600 / (place + 1), burst: 50, windowSize: 60 }],
      scope,
      priority: 100 - place * 10,
    }),
  );
  const violations: (typeof rateLimitViolation.$inferInsert)[] = Array.from({ length: 12 }, (_, place) => ({
    id: uuidOf(`violation ${place}`),
    tokenId: tokenId('shop-hook'),
    userId: userId('luca'),
    tenantId: tenantId('tinyshop'),
    ipAddress: '203.0.113.9',
    userAgent: 'mcp-client/1.4',
    path: dice.pick(PATHS),
    method: 'POST',
    ruleId: uuidOf('limit token'),
    limitType: dice.pick(['rpm', 'burst'] as const),
    limitValue: 200,
    currentValue: dice.between(201, 320),
    action: dice.pick(['blocked', 'throttled'] as const),
    metadata: { severity: 'medium' as const },
    violatedAt: clock.daysAgo(place),
  }));
  return { configs, violations };
}
