import type { auditLog, errorLog, securityEvent, systemEvent } from '../schema/index.ts';
import { type Clock, createDice, sha256, uuidOf } from './deterministic.ts';
import { tenantId, userId } from './people.ts';
import { SEEDED_SERVERS } from './servers.ts';

/** What happened in the last weeks: who changed what, what the system saw, what failed, who tried to get in. */
export function seedAudit(clock: Clock) {
  return {
    entries: seedEntries(clock),
    events: seedEvents(clock),
    errors: seedErrors(clock),
    security: seedSecurity(clock),
  };
}

function seedEntries(clock: Clock): (typeof auditLog.$inferInsert)[] {
  const dice = createDice('audit');
  return Array.from({ length: 60 }, (_, place) => {
    const actor = dice.pick(['ines', 'tomasz', 'aiko', 'luca'] as const);
    const action = dice.pick(['create', 'update', 'delete'] as const);
    const server = dice.pick(['seed-papers', 'seed-warehouse', 'seed-orders'] as const);
    return {
      id: uuidOf(`audit ${place}`),
      eventType: `server.${action}`,
      action,
      actorType: 'user' as const,
      actorId: userId(actor),
      actorEmail: `${actor}@registry.example`,
      actorIp: `198.51.100.${dice.between(2, 250)}`,
      resourceType: 'mcp_server',
      resourceId: server,
      resourceName: server,
      tenantId: tenantId('northwind'),
      description: `${actor} did ${action} ${server}`,
      changes:
        action === 'update'
          ? { before: { isPublic: false }, after: { isPublic: true }, fields: ['isPublic'] }
          : null,
      httpMethod: action === 'create' ? 'POST' : action === 'update' ? 'PATCH' : 'DELETE',
      httpPath: `/v1/servers/${server}`,
      httpStatusCode: place % 15 === 0 ? 403 : 200,
      responseTime: dice.between(10, 200),
      riskLevel: action === 'delete' ? ('high' as const) : ('low' as const),
      complianceRelevant: action === 'delete',
      success: place % 15 !== 0,
      occurredAt: clock.daysAgo(place / 3),
    };
  });
}

function seedEvents(clock: Clock): (typeof systemEvent.$inferInsert)[] {
  return SEEDED_SERVERS.flatMap(({ id, tenant }, place) =>
    (['error', 'active'] as const).map((after, turn) => ({
      id: uuidOf(`event ${id} ${after}`),
      type: 'server.status_changed',
      category: 'system' as const,
      title: after === 'error' ? `${id} is down` : `${id} is up again`,
      severity: after === 'error' ? ('error' as const) : ('info' as const),
      source: 'mcp-vitals',
      tenantId: tenant === null ? null : tenantId(tenant),
      resourceType: 'mcp_server',
      resourceId: id,
      data: {
        before: after === 'error' ? 'active' : 'error',
        after,
        reason: after === 'error' ? 'refused' : 'ok',
      },
      status: turn === 1 || place % 2 ? ('resolved' as const) : ('active' as const),
      occurredAt: clock.daysAgo(6 - turn, place),
    })),
  );
}

function seedErrors(clock: Clock): (typeof errorLog.$inferInsert)[] {
  const kinds = ['TimeoutError', 'ConnectionRefused', 'ValidationError', 'RateLimitExceeded'] as const;
  return kinds.map((type, place) => ({
    id: uuidOf(`error ${type}`),
    errorId: `ERR-${1_000 + place}`,
    fingerprint: sha256(type).slice(0, 16),
    type,
    message: `${type} while calling a tool`,
    stackTrace: `${type}: while calling a tool\n    at callTool (gateway/tools.js:88:11)`,
    userId: userId('priya'),
    tenantId: tenantId('northwind'),
    httpMethod: 'POST',
    httpPath: '/v1/tools/call',
    httpHeaders: { 'content-type': 'application/json' },
    service: 'gateway',
    version: '3.2.1',
    environment: 'development',
    deviceInfo: { browser: 'Firefox', os: 'Linux', viewport: { width: 1_440, height: 900 } },
    level: place === 2 ? ('warn' as const) : ('error' as const),
    status: place === 3 ? ('resolved' as const) : ('new' as const),
    resolvedAt: place === 3 ? clock.daysAgo(1) : null,
    resolvedBy: place === 3 ? userId('ines') : null,
    resolution: place === 3 ? 'limit raised' : null,
    firstSeen: clock.daysAgo(12 - place),
    lastSeen: clock.daysAgo(place),
    occurrenceCount: 3 + place * 7,
  }));
}

function seedSecurity(clock: Clock): (typeof securityEvent.$inferInsert)[] {
  const dice = createDice('security');
  return Array.from({ length: 8 }, (_, place) => ({
    id: uuidOf(`security ${place}`),
    type: dice.pick(['login.failed', 'token.leaked', 'login.new_country'] as const),
    severity: dice.pick(['low', 'medium', 'high'] as const),
    sourceIp: `192.0.2.${dice.between(2, 250)}`,
    userAgent: 'curl/8.5.0',
    userId: userId('oskar'),
    tenantId: tenantId('mothballed'),
    country: 'NL',
    description: 'Several failed logins in a short time',
    details: { failedAttempts: dice.between(5, 40), timeWindow: 300, riskScore: dice.between(20, 90) },
    actionTaken: dice.pick(['logged', 'blocked', 'rate_limited'] as const),
    investigationStatus: place < 5 ? ('resolved' as const) : ('pending' as const),
    investigatedBy: place < 5 ? userId('ines') : null,
    detectedAt: clock.daysAgo(place * 2),
    resolvedAt: place < 5 ? clock.daysAgo(place) : null,
  }));
}
