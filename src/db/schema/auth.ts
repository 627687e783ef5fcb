/** Users and how they prove who they are: the gateway's authentication tables. */
import { boolean, index, integer, json, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type { SessionDevice, UserPreferences } from './json.ts';

export const user = pgTable(
  'user',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    email: text('email').notNull().unique(),
    emailVerified: boolean('email_verified')
      .notNull()
      .$defaultFn(() => false),
    image: text('image'),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    role: text('role', { enum: ['admin', 'server_owner', 'user'] })
      .notNull()
      .default('user'),
    tenantId: text('tenant_id'),
    isActive: boolean('is_active').notNull().default(true),
    lastLoginAt: at('last_login_at'),
    banned: boolean('banned').default(false),
    banReason: text('ban_reason'),
    banExpires: at('ban_expires'),
    preferences: json('preferences').$type<UserPreferences>().default({}),
    twoFactorEnabled: boolean('two_factor_enabled').default(false),
    backupCodes: json('backup_codes').$type<string[]>(),
    termsAcceptedAt: at('terms_accepted_at'),
    privacyAcceptedAt: at('privacy_accepted_at'),
  },
  (table) => [
    index('user_email_idx').on(table.email),
    index('user_tenant_idx').on(table.tenantId),
    index('user_role_idx').on(table.role),
    index('user_active_idx').on(table.isActive),
    index('user_last_login_idx').on(table.lastLoginAt),
  ],
);

export const session = pgTable(
  'session',
  {
    id: text('id').primaryKey(),
    expiresAt: at('expires_at').notNull(),
    token: text('token').notNull().unique(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    userId: text('user_id')
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    impersonatedBy: text('impersonated_by'),
    deviceInfo: json('device_info').$type<SessionDevice>(),
    lastActivityAt: at('last_activity_at'),
    isRevoked: boolean('is_revoked').default(false),
    revokedAt: at('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (table) => [
    index('session_user_idx').on(table.userId),
    index('session_token_idx').on(table.token),
    index('session_expires_idx').on(table.expiresAt),
    index('session_active_idx').on(table.isRevoked),
    index('session_last_activity_idx').on(table.lastActivityAt),
  ],
);

export const account = pgTable(
  'account',
  {
    id: text('id').primaryKey(),
    accountId: text('account_id').notNull(),
    providerId: text('provider_id').notNull(),
    userId: text('user_id')
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    idToken: text('id_token'),
    accessTokenExpiresAt: at('access_token_expires_at'),
    refreshTokenExpiresAt: at('refresh_token_expires_at'),
    scope: text('scope'),
    password: text('password'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    tokenType: text('token_type'),
    providerAccountId: text('provider_account_id'),
    refreshTokenRotationEnabled: boolean('refresh_token_rotation_enabled').default(true),
  },
  (table) => [
    unique().on(table.providerId, table.accountId),
    index('account_user_idx').on(table.userId),
    index('account_provider_idx').on(table.providerId, table.accountId),
  ],
);

export const verification = pgTable(
  'verification',
  {
    id: text('id').primaryKey(),
    identifier: text('identifier').notNull(),
    value: text('value').notNull(),
    expiresAt: at('expires_at').notNull(),
    createdAt: madeAt('created_at'),
    updatedAt: touchedAt('updated_at'),
    type: text('type', { enum: ['email', 'phone', 'password_reset', 'two_factor', 'oauth_state'] }),
    attempts: integer('attempts').default(0),
    maxAttempts: integer('max_attempts').default(3),
    isUsed: boolean('is_used').default(false),
  },
  (table) => [
    index('verification_identifier_idx').on(table.identifier),
    index('verification_type_idx').on(table.type),
    index('verification_expires_idx').on(table.expiresAt),
    index('verification_used_idx').on(table.isUsed),
  ],
);

export const twoFactorAuth = pgTable(
  'two_factor_auth',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: text('user_id')
      .notNull()
      .unique()
      .references(() => user.id, { onDelete: 'cascade' }),
    secret: text('secret').notNull(),
    enabled: boolean('enabled').notNull().default(false),
    backupCodes: json('backup_codes').$type<string[]>(),
    createdAt: madeAt('created_at').notNull(),
    enabledAt: at('enabled_at'),
    lastUsedAt: at('last_used_at'),
  },
  (table) => [index('two_factor_enabled_idx').on(table.enabled)],
);

export const userPermission = pgTable(
  'user_permission',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    userId: text('user_id')
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    permission: text('permission').notNull(),
    resource: text('resource'),
    grantedAt: madeAt('granted_at').notNull(),
    grantedBy: text('granted_by').references(() => user.id),
    expiresAt: at('expires_at'),
  },
  (table) => [
    unique().on(table.userId, table.permission, table.resource),
    index('user_permission_user_idx').on(table.userId),
    index('user_permission_permission_idx').on(table.permission),
    index('user_permission_resource_idx').on(table.resource),
    index('user_permission_expires_idx').on(table.expiresAt),
  ],
);
