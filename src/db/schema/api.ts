/** API tokens, requests made with them, and rate limits: the gateway's tables. */
import { boolean, index, integer, json, numeric, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type {
  EndpointBreakdown,
  RateLimitRule,
  StatusBreakdown,
  TokenRateLimit,
  UsageMetadata,
  ViolationMetadata,
} from './json.ts';

export const apiToken = pgTable(
  'api_token',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull(),
    description: text('description'),
    tokenHash: text('token_hash').notNull().unique(),
    tokenPrefix: text('token_prefix').notNull(),
    userId: text('user_id').notNull(),
    tenantId: text('tenant_id'),
    scopes: json('scopes').$type<string[]>().default([]),
    type: text('type', { enum: ['personal', 'service', 'integration', 'webhook'] })
      .notNull()
      .default('personal'),
    allowedIps: json('allowed_ips').$type<string[]>(),
    allowedDomains: json('allowed_domains').$type<string[]>(),
    rateLimit: json('rate_limit').$type<TokenRateLimit>(),
    isActive: boolean('is_active').notNull().default(true),
    lastUsedAt: at('last_used_at'),
    usageCount: integer('usage_count').default(0),
    expiresAt: at('expires_at'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('api_token_user_idx').on(table.userId),
    index('api_token_tenant_idx').on(table.tenantId),
    index('api_token_active_idx').on(table.isActive),
    index('api_token_expires_idx').on(table.expiresAt),
    index('api_token_last_used_idx').on(table.lastUsedAt),
  ],
);

export const rateLimitConfig = pgTable(
  'rate_limit_config',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull(),
    description: text('description'),
    rules: json('rules').$type<RateLimitRule[]>().default([]),
    scope: text('scope', { enum: ['global', 'tenant', 'user', 'token'] }).notNull(),
    priority: integer('priority').default(100),
    isActive: boolean('is_active').notNull().default(true),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('rate_limit_config_name_idx').on(table.name),
    index('rate_limit_config_scope_idx').on(table.scope),
    index('rate_limit_config_priority_idx').on(table.priority),
    index('rate_limit_config_active_idx').on(table.isActive),
  ],
);

export const rateLimitViolation = pgTable(
  'rate_limit_violation',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tokenId: uuid('token_id'),
    userId: text('user_id'),
    tenantId: text('tenant_id'),
    ipAddress: text('ip_address').notNull(),
    userAgent: text('user_agent'),
    path: text('path').notNull(),
    method: text('method').notNull(),
    ruleId: uuid('rule_id'),
    limitType: text('limit_type', { enum: ['rpm', 'rph', 'rpd', 'burst'] }).notNull(),
    limitValue: integer('limit_value').notNull(),
    currentValue: integer('current_value').notNull(),
    action: text('action', { enum: ['blocked', 'throttled', 'warned', 'logged'] }).notNull(),
    metadata: json('metadata').$type<ViolationMetadata>(),
    violatedAt: madeAt('violated_at').notNull(),
  },
  (table) => [
    index('rate_limit_violation_token_idx').on(table.tokenId),
    index('rate_limit_violation_user_idx').on(table.userId),
    index('rate_limit_violation_tenant_idx').on(table.tenantId),
    index('rate_limit_violation_ip_idx').on(table.ipAddress),
    index('rate_limit_violation_path_idx').on(table.path),
    index('rate_limit_violation_violated_at_idx').on(table.violatedAt),
  ],
);

export const apiUsage = pgTable(
  'api_usage',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tokenId: uuid('token_id'),
    userId: text('user_id'),
    tenantId: text('tenant_id'),
    serverId: text('server_id'),
    path: text('path').notNull(),
    method: text('method').notNull(),
    statusCode: integer('status_code').notNull(),
    responseTime: integer('response_time'),
    requestSize: integer('request_size'),
    responseSize: integer('response_size'),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    country: text('country'),
    region: text('region'),
    city: text('city'),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    metadata: json('metadata').$type<UsageMetadata>(),
    requestedAt: madeAt('requested_at').notNull(),
  },
  (table) => [
    index('api_usage_token_idx').on(table.tokenId),
    index('api_usage_user_idx').on(table.userId),
    index('api_usage_tenant_idx').on(table.tenantId),
    index('api_usage_server_idx').on(table.serverId),
    index('api_usage_path_idx').on(table.path),
    index('api_usage_status_idx').on(table.statusCode),
    index('api_usage_requested_at_idx').on(table.requestedAt),
    // Ours, beside the contract's: long spans of time, and the latest calls of one server.
    index('api_usage_requested_brin').using('brin', table.requestedAt).concurrently(),
    index('api_usage_server_requested_idx').on(table.serverId, table.requestedAt).concurrently(),
  ],
);

export const apiUsageStats = pgTable(
  'api_usage_stats',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: text('tenant_id'),
    userId: text('user_id'),
    serverId: text('server_id'),
    tokenId: uuid('token_id'),
    periodType: text('period_type', { enum: ['minute', 'hour', 'day', 'week', 'month'] }).notNull(),
    periodStart: at('period_start').notNull(),
    periodEnd: at('period_end').notNull(),
    totalRequests: integer('total_requests').default(0),
    totalErrors: integer('total_errors').default(0),
    avgResponseTime: numeric('avg_response_time', { precision: 10, scale: 3 }),
    totalDataTransfer: integer('total_data_transfer').default(0),
    uniqueIps: integer('unique_ips').default(0),
    statusBreakdown: json('status_breakdown').$type<StatusBreakdown>().default({}),
    endpointBreakdown: json('endpoint_breakdown').$type<EndpointBreakdown>().default({}),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('api_usage_stats_tenant_period_idx').on(table.tenantId, table.periodType, table.periodStart),
    index('api_usage_stats_user_period_idx').on(table.userId, table.periodType, table.periodStart),
    index('api_usage_stats_server_period_idx').on(table.serverId, table.periodType, table.periodStart),
    index('api_usage_stats_token_period_idx').on(table.tokenId, table.periodType, table.periodStart),
    index('api_usage_stats_period_range_idx').on(table.periodStart, table.periodEnd),
  ],
);
