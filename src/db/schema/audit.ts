/** What happened and who did it: the gateway's logs and events. */
import { sql } from 'drizzle-orm';
import { boolean, index, integer, json, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type {
  AuditChanges,
  AuditMetadata,
  ErrorDevice,
  JsonObject,
  JsonValue,
  SecurityDetails,
} from './json.ts';

export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    eventType: text('event_type').notNull(),
    action: text('action').notNull(),
    actorType: text('actor_type', { enum: ['user', 'system', 'api', 'scheduled_job'] }).notNull(),
    actorId: text('actor_id'),
    actorEmail: text('actor_email'),
    actorIp: text('actor_ip'),
    actorUserAgent: text('actor_user_agent'),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id'),
    resourceName: text('resource_name'),
    tenantId: text('tenant_id'),
    sessionId: text('session_id'),
    requestId: text('request_id'),
    traceId: text('trace_id'),
    description: text('description').notNull(),
    changes: json('changes').$type<AuditChanges>(),
    httpMethod: text('http_method'),
    httpPath: text('http_path'),
    httpStatusCode: integer('http_status_code'),
    responseTime: integer('response_time'),
    riskLevel: text('risk_level', { enum: ['low', 'medium', 'high', 'critical'] })
      .notNull()
      .default('low'),
    complianceRelevant: boolean('compliance_relevant').default(false),
    metadata: json('metadata').$type<AuditMetadata>(),
    success: boolean('success').notNull().default(true),
    errorMessage: text('error_message'),
    errorCode: text('error_code'),
    occurredAt: madeAt('occurred_at').notNull(),
  },
  (table) => [
    index('audit_log_event_type_idx').on(table.eventType),
    index('audit_log_action_idx').on(table.action),
    index('audit_log_actor_idx').on(table.actorType, table.actorId),
    index('audit_log_resource_idx').on(table.resourceType, table.resourceId),
    index('audit_log_tenant_idx').on(table.tenantId),
    index('audit_log_occurred_at_idx').on(table.occurredAt),
    // Ours, beside the contract's: long spans of time.
    index('audit_log_occurred_brin').using('brin', table.occurredAt).concurrently(),
    index('audit_log_risk_level_idx').on(table.riskLevel),
    index('audit_log_compliance_idx').on(table.complianceRelevant),
    index('audit_log_success_idx').on(table.success),
  ],
);

export const systemEvent = pgTable(
  'system_event',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    type: text('type').notNull(),
    category: text('category', {
      enum: ['system', 'security', 'performance', 'maintenance', 'business'],
    }).notNull(),
    title: text('title').notNull(),
    description: text('description'),
    severity: text('severity', { enum: ['info', 'warning', 'error', 'critical'] })
      .notNull()
      .default('info'),
    source: text('source').notNull(),
    tenantId: text('tenant_id'),
    resourceType: text('resource_type'),
    resourceId: text('resource_id'),
    data: json('data').$type<JsonObject>().default({}),
    status: text('status', { enum: ['active', 'acknowledged', 'resolved', 'suppressed'] })
      .notNull()
      .default('active'),
    acknowledgedAt: at('acknowledged_at'),
    acknowledgedBy: text('acknowledged_by'),
    resolvedAt: at('resolved_at'),
    resolvedBy: text('resolved_by'),
    notificationSent: boolean('notification_sent').default(false),
    notificationChannels: json('notification_channels').$type<string[]>().default([]),
    occurredAt: madeAt('occurred_at').notNull(),
    createdAt: madeAt('created_at').notNull(),
  },
  (table) => [
    index('system_event_type_idx').on(table.type),
    index('system_event_category_idx').on(table.category),
    index('system_event_severity_idx').on(table.severity),
    index('system_event_source_idx').on(table.source),
    index('system_event_tenant_idx').on(table.tenantId),
    index('system_event_status_idx').on(table.status),
    index('system_event_occurred_at_idx').on(table.occurredAt),
    // Ours, beside the contract's: what the worker wrote itself is deleted by its age.
    index('system_event_vitals_idx')
      .on(table.occurredAt)
      .where(sql`${table.source} = 'mcp-vitals'`)
      .concurrently(),
  ],
);

export const errorLog = pgTable(
  'error_log',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    errorId: text('error_id').notNull(),
    fingerprint: text('fingerprint').notNull(),
    type: text('type').notNull(),
    message: text('message').notNull(),
    stackTrace: text('stack_trace'),
    userId: text('user_id'),
    tenantId: text('tenant_id'),
    sessionId: text('session_id'),
    requestId: text('request_id'),
    traceId: text('trace_id'),
    httpMethod: text('http_method'),
    httpPath: text('http_path'),
    httpHeaders: json('http_headers').$type<Record<string, string>>(),
    httpQuery: json('http_query').$type<JsonObject>(),
    httpBody: json('http_body').$type<JsonValue>(),
    service: text('service').notNull(),
    version: text('version'),
    environment: text('environment').notNull(),
    userAgent: text('user_agent'),
    ipAddress: text('ip_address'),
    deviceInfo: json('device_info').$type<ErrorDevice>(),
    level: text('level', { enum: ['debug', 'info', 'warn', 'error', 'fatal'] })
      .notNull()
      .default('error'),
    status: text('status', { enum: ['new', 'investigating', 'resolved', 'ignored'] })
      .notNull()
      .default('new'),
    resolvedAt: at('resolved_at'),
    resolvedBy: text('resolved_by'),
    resolution: text('resolution'),
    firstSeen: madeAt('first_seen').notNull(),
    lastSeen: madeAt('last_seen').notNull(),
    occurrenceCount: integer('occurrence_count').notNull().default(1),
    metadata: json('metadata').$type<JsonObject>().default({}),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('error_log_error_id_idx').on(table.errorId),
    index('error_log_fingerprint_idx').on(table.fingerprint),
    index('error_log_type_idx').on(table.type),
    index('error_log_user_idx').on(table.userId),
    index('error_log_tenant_idx').on(table.tenantId),
    index('error_log_service_idx').on(table.service),
    index('error_log_level_idx').on(table.level),
    index('error_log_status_idx').on(table.status),
    index('error_log_first_seen_idx').on(table.firstSeen),
    index('error_log_last_seen_idx').on(table.lastSeen),
  ],
);

export const securityEvent = pgTable(
  'security_event',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    type: text('type').notNull(),
    severity: text('severity', { enum: ['low', 'medium', 'high', 'critical'] }).notNull(),
    sourceIp: text('source_ip').notNull(),
    userAgent: text('user_agent'),
    userId: text('user_id'),
    tenantId: text('tenant_id'),
    country: text('country'),
    region: text('region'),
    city: text('city'),
    description: text('description').notNull(),
    details: json('details').$type<SecurityDetails>().default({}),
    actionTaken: text('action_taken', {
      enum: ['none', 'logged', 'blocked', 'rate_limited', 'account_locked', 'investigated'],
    })
      .notNull()
      .default('logged'),
    investigationStatus: text('investigation_status', {
      enum: ['pending', 'in_progress', 'resolved', 'false_positive'],
    })
      .notNull()
      .default('pending'),
    investigatedBy: text('investigated_by'),
    investigationNotes: text('investigation_notes'),
    detectedAt: madeAt('detected_at').notNull(),
    investigatedAt: at('investigated_at'),
    resolvedAt: at('resolved_at'),
  },
  (table) => [
    index('security_event_type_idx').on(table.type),
    index('security_event_severity_idx').on(table.severity),
    index('security_event_source_ip_idx').on(table.sourceIp),
    index('security_event_user_idx').on(table.userId),
    index('security_event_tenant_idx').on(table.tenantId),
    index('security_event_action_idx').on(table.actionTaken),
    index('security_event_status_idx').on(table.investigationStatus),
    index('security_event_detected_at_idx').on(table.detectedAt),
  ],
);
