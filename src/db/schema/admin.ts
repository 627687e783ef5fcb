/** Feature flags, configuration, maintenance and announcements: the gateway's tables. */
import { boolean, foreignKey, index, integer, json, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type {
  ConfigValidation,
  EvaluationMetadata,
  FlagEnvironments,
  JsonValue,
  TargetingRule,
} from './json.ts';

export const featureFlag = pgTable(
  'feature_flag',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull().unique(),
    key: text('key').notNull().unique(),
    description: text('description'),
    type: text('type', { enum: ['boolean', 'string', 'number', 'json'] })
      .notNull()
      .default('boolean'),
    defaultValue: json('default_value').$type<JsonValue>().notNull(),
    isEnabled: boolean('is_enabled').notNull().default(false),
    rolloutPercentage: integer('rollout_percentage').default(0),
    targetingRules: json('targeting_rules').$type<TargetingRule[]>().default([]),
    environments: json('environments').$type<FlagEnvironments>().default({}),
    status: text('status', { enum: ['development', 'testing', 'active', 'deprecated', 'archived'] })
      .notNull()
      .default('development'),
    tags: json('tags').$type<string[]>().default([]),
    owner: text('owner'),
    expiresAt: at('expires_at'),
    killSwitchEnabled: boolean('kill_switch_enabled').default(false),
    lastModifiedBy: text('last_modified_by'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('feature_flag_status_idx').on(table.status),
    index('feature_flag_enabled_idx').on(table.isEnabled),
    index('feature_flag_expires_idx').on(table.expiresAt),
  ],
);

export const featureFlagEvaluation = pgTable(
  'feature_flag_evaluation',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    flagId: uuid('flag_id')
      .notNull()
      .references(() => featureFlag.id, { onDelete: 'cascade' }),
    flagKey: text('flag_key').notNull(),
    userId: text('user_id'),
    tenantId: text('tenant_id'),
    value: json('value').$type<JsonValue>().notNull(),
    reason: text('reason', { enum: ['default', 'targeting_match', 'rollout', 'forced', 'error'] }).notNull(),
    userAgent: text('user_agent'),
    ipAddress: text('ip_address'),
    metadata: json('metadata').$type<EvaluationMetadata>().default({}),
    evaluatedAt: madeAt('evaluated_at').notNull(),
  },
  (table) => [
    index('feature_flag_evaluation_flag_idx').on(table.flagId),
    index('feature_flag_evaluation_flag_key_idx').on(table.flagKey),
    index('feature_flag_evaluation_user_idx').on(table.userId),
    index('feature_flag_evaluation_tenant_idx').on(table.tenantId),
    index('feature_flag_evaluation_evaluated_at_idx').on(table.evaluatedAt),
  ],
);

export const systemConfig = pgTable(
  'system_config',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    key: text('key').notNull().unique(),
    category: text('category').notNull(),
    value: json('value').$type<JsonValue>().notNull(),
    valueType: text('value_type', { enum: ['string', 'number', 'boolean', 'object', 'array'] }).notNull(),
    description: text('description'),
    isPublic: boolean('is_public').default(false),
    isSecret: boolean('is_secret').default(false),
    validationSchema: json('validation_schema').$type<ConfigValidation>(),
    isActive: boolean('is_active').notNull().default(true),
    environment: text('environment', { enum: ['development', 'staging', 'production', 'all'] })
      .notNull()
      .default('all'),
    lastModifiedBy: text('last_modified_by'),
    changeReason: text('change_reason'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('system_config_category_idx').on(table.category),
    index('system_config_public_idx').on(table.isPublic),
    index('system_config_active_idx').on(table.isActive),
    index('system_config_environment_idx').on(table.environment),
  ],
);

export const maintenanceWindow = pgTable(
  'maintenance_window',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    title: text('title').notNull(),
    description: text('description'),
    type: text('type', { enum: ['scheduled', 'emergency', 'security_patch', 'upgrade'] }).notNull(),
    impact: text('impact', { enum: ['none', 'minimal', 'partial', 'full_outage'] }).notNull(),
    affectedServices: json('affected_services').$type<string[]>().default([]),
    affectedTenants: json('affected_tenants').$type<string[]>().default([]),
    scheduledStart: at('scheduled_start').notNull(),
    scheduledEnd: at('scheduled_end').notNull(),
    actualStart: at('actual_start'),
    actualEnd: at('actual_end'),
    status: text('status', { enum: ['scheduled', 'in_progress', 'completed', 'cancelled', 'extended'] })
      .notNull()
      .default('scheduled'),
    notifyUsers: boolean('notify_users').default(true),
    notificationSent: boolean('notification_sent').default(false),
    notificationChannels: json('notification_channels').$type<string[]>().default([]),
    workarounds: text('workarounds'),
    rollbackPlan: text('rollback_plan'),
    createdBy: text('created_by').notNull(),
    approvedBy: text('approved_by'),
    approvedAt: at('approved_at'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('maintenance_window_type_idx').on(table.type),
    index('maintenance_window_status_idx').on(table.status),
    index('maintenance_window_scheduled_start_idx').on(table.scheduledStart),
    index('maintenance_window_scheduled_end_idx').on(table.scheduledEnd),
  ],
);

export const systemAnnouncement = pgTable(
  'system_announcement',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    title: text('title').notNull(),
    message: text('message').notNull(),
    type: text('type', { enum: ['info', 'warning', 'success', 'error', 'maintenance', 'feature'] }).notNull(),
    priority: text('priority', { enum: ['low', 'normal', 'high', 'urgent'] })
      .notNull()
      .default('normal'),
    targetAudience: text('target_audience', {
      enum: ['all_users', 'admins_only', 'specific_tenants', 'specific_users'],
    })
      .notNull()
      .default('all_users'),
    targetTenants: json('target_tenants').$type<string[]>().default([]),
    targetUsers: json('target_users').$type<string[]>().default([]),
    targetRoles: json('target_roles').$type<string[]>().default([]),
    displayLocation: json('display_location').$type<string[]>().default([]),
    isDismissible: boolean('is_dismissible').default(true),
    requiresAcknowledgment: boolean('requires_acknowledgment').default(false),
    backgroundColor: text('background_color'),
    textColor: text('text_color'),
    icon: text('icon'),
    startsAt: madeAt('starts_at').notNull(),
    endsAt: at('ends_at'),
    isActive: boolean('is_active').notNull().default(true),
    actionUrl: text('action_url'),
    actionText: text('action_text'),
    viewCount: integer('view_count').default(0),
    acknowledgmentCount: integer('acknowledgment_count').default(0),
    createdBy: text('created_by').notNull(),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    index('system_announcement_type_idx').on(table.type),
    index('system_announcement_priority_idx').on(table.priority),
    index('system_announcement_active_idx').on(table.isActive),
    index('system_announcement_starts_at_idx').on(table.startsAt),
    index('system_announcement_ends_at_idx').on(table.endsAt),
  ],
);

export const announcementAcknowledgment = pgTable(
  'announcement_acknowledgment',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    announcementId: uuid('announcement_id').notNull(),
    userId: text('user_id').notNull(),
    acknowledgedAt: madeAt('acknowledged_at').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
  },
  (table) => [
    unique().on(table.announcementId, table.userId),
    // PostgreSQL cuts names at 63 bytes: the default name, as it is stored.
    foreignKey({
      name: 'announcement_acknowledgment_announcement_id_system_announcement',
      columns: [table.announcementId],
      foreignColumns: [systemAnnouncement.id],
    }).onDelete('cascade'),
    index('announcement_acknowledgment_announcement_idx').on(table.announcementId),
    index('announcement_acknowledgment_user_idx').on(table.userId),
  ],
);
