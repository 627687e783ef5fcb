/** Tenants, their members, invitations and usage: the gateway's tables. */
import { index, integer, json, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type { MemberPermissions, TenantFeatures, TenantSettings, UsageDetails } from './json.ts';

export const tenant = pgTable(
  'tenant',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull().unique(),
    domain: text('domain'),
    status: text('status', { enum: ['active', 'suspended', 'pending', 'cancelled'] })
      .notNull()
      .default('pending'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    ownerId: text('owner_id').notNull(),
    billingEmail: text('billing_email'),
    maxUsers: integer('max_users').default(10),
    maxServers: integer('max_servers').default(5),
    maxApiCalls: integer('max_api_calls').default(10000),
    features: json('features').$type<TenantFeatures>().default({}),
    settings: json('settings').$type<TenantSettings>().default({}),
    currentUsers: integer('current_users').default(0),
    currentServers: integer('current_servers').default(0),
    currentMonthApiCalls: integer('current_month_api_calls').default(0),
    planType: text('plan_type', { enum: ['free', 'starter', 'professional', 'enterprise'] })
      .notNull()
      .default('free'),
    subscriptionStatus: text('subscription_status', {
      enum: ['active', 'cancelled', 'past_due', 'unpaid', 'incomplete'],
    }).default('active'),
    subscriptionId: text('subscription_id'),
    currentPeriodStart: at('current_period_start'),
    currentPeriodEnd: at('current_period_end'),
    dataRegion: text('data_region').default('us-east-1'),
    encryptionKeyId: text('encryption_key_id'),
    auditLogRetention: integer('audit_log_retention').default(90),
    contactEmail: text('contact_email'),
    contactPhone: text('contact_phone'),
    supportPlan: text('support_plan', { enum: ['community', 'standard', 'priority', 'enterprise'] }).default(
      'community',
    ),
  },
  (table) => [
    index('tenant_domain_idx').on(table.domain),
    index('tenant_status_idx').on(table.status),
    index('tenant_owner_idx').on(table.ownerId),
    index('tenant_plan_idx').on(table.planType),
    index('tenant_region_idx').on(table.dataRegion),
  ],
);

export const tenantMember = pgTable(
  'tenant_member',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenant.id, { onDelete: 'cascade' }),
    userId: text('user_id').notNull(),
    role: text('role', { enum: ['owner', 'admin', 'member', 'readonly'] })
      .notNull()
      .default('member'),
    status: text('status', { enum: ['active', 'invited', 'suspended'] })
      .notNull()
      .default('invited'),
    joinedAt: at('joined_at'),
    invitedAt: madeAt('invited_at').notNull(),
    invitedBy: text('invited_by'),
    permissions: json('permissions').$type<MemberPermissions>().default({}),
    ipWhitelist: json('ip_whitelist').$type<string[]>(),
    lastAccessAt: at('last_access_at'),
  },
  (table) => [
    unique().on(table.tenantId, table.userId),
    index('tenant_member_tenant_idx').on(table.tenantId),
    index('tenant_member_user_idx').on(table.userId),
    index('tenant_member_status_idx').on(table.status),
    index('tenant_member_role_idx').on(table.role),
  ],
);

export const tenantInvitation = pgTable(
  'tenant_invitation',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenant.id, { onDelete: 'cascade' }),
    email: text('email').notNull(),
    role: text('role', { enum: ['admin', 'member', 'readonly'] })
      .notNull()
      .default('member'),
    token: text('token').notNull().unique(),
    status: text('status', { enum: ['pending', 'accepted', 'expired', 'revoked'] })
      .notNull()
      .default('pending'),
    createdAt: madeAt('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    acceptedAt: at('accepted_at'),
    revokedAt: at('revoked_at'),
    invitedBy: text('invited_by').notNull(),
    message: text('message'),
  },
  (table) => [
    unique().on(table.tenantId, table.email),
    index('tenant_invitation_tenant_idx').on(table.tenantId),
    index('tenant_invitation_status_idx').on(table.status),
    index('tenant_invitation_expires_idx').on(table.expiresAt),
  ],
);

export const tenantUsage = pgTable(
  'tenant_usage',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: text('tenant_id')
      .notNull()
      .references(() => tenant.id, { onDelete: 'cascade' }),
    periodStart: at('period_start').notNull(),
    periodEnd: at('period_end').notNull(),
    apiCalls: integer('api_calls').default(0),
    storageBytes: integer('storage_bytes').default(0),
    activeUsers: integer('active_users').default(0),
    activeServers: integer('active_servers').default(0),
    usageDetails: json('usage_details').$type<UsageDetails>().default({}),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
  },
  (table) => [
    unique().on(table.tenantId, table.periodStart, table.periodEnd),
    index('tenant_usage_tenant_idx').on(table.tenantId),
    index('tenant_usage_period_idx').on(table.periodStart, table.periodEnd),
  ],
);
