/**
 * How the tables refer to one another, in one file: each module knows only its own tables, so that
 * none imports another back. Most of these are by value; only some are foreign keys as well.
 */
import { relations } from 'drizzle-orm';
import {
  announcementAcknowledgment,
  featureFlag,
  featureFlagEvaluation,
  maintenanceWindow,
  systemAnnouncement,
  systemConfig,
} from './admin.ts';
import { apiToken, apiUsage, apiUsageStats, rateLimitConfig, rateLimitViolation } from './api.ts';
import { auditLog, errorLog, securityEvent, systemEvent } from './audit.ts';
import { account, session, twoFactorAuth, user, userPermission, verification } from './auth.ts';
import {
  mcpPrompt,
  mcpResource,
  mcpServer,
  mcpServerDependency,
  mcpServerHealthCheck,
  mcpTool,
} from './mcp.ts';
import { tenant, tenantInvitation, tenantMember, tenantUsage } from './tenant.ts';
import { serverState, uptimeDay } from './vitals.ts';

export const userRelations = relations(user, ({ one, many }) => ({
  tenant: one(tenant, { fields: [user.tenantId], references: [tenant.id] }),
  sessions: many(session),
  accounts: many(account),
  twoFactorAuth: one(twoFactorAuth),
  permissions: many(userPermission, { relationName: 'holder' }),
}));

export const sessionRelations = relations(session, ({ one }) => ({
  user: one(user, { fields: [session.userId], references: [user.id] }),
}));

export const accountRelations = relations(account, ({ one }) => ({
  user: one(user, { fields: [account.userId], references: [user.id] }),
}));

/** The account that an e-mail verification is about; null for a phone number or an OAuth state. */
export const verificationRelations = relations(verification, ({ one }) => ({
  user: one(user, { fields: [verification.identifier], references: [user.email] }),
}));

export const twoFactorAuthRelations = relations(twoFactorAuth, ({ one }) => ({
  user: one(user, { fields: [twoFactorAuth.userId], references: [user.id] }),
}));

export const userPermissionRelations = relations(userPermission, ({ one }) => ({
  user: one(user, {
    fields: [userPermission.userId],
    references: [user.id],
    relationName: 'holder',
  }),
  grantedByUser: one(user, {
    fields: [userPermission.grantedBy],
    references: [user.id],
    relationName: 'grantor',
  }),
}));

export const tenantRelations = relations(tenant, ({ one, many }) => ({
  owner: one(user, { fields: [tenant.ownerId], references: [user.id], relationName: 'tenantOwner' }),
  users: many(user),
  members: many(tenantMember),
  invitations: many(tenantInvitation),
  usage: many(tenantUsage),
  servers: many(mcpServer),
  apiTokens: many(apiToken),
}));

export const tenantMemberRelations = relations(tenantMember, ({ one }) => ({
  tenant: one(tenant, { fields: [tenantMember.tenantId], references: [tenant.id] }),
  user: one(user, { fields: [tenantMember.userId], references: [user.id] }),
}));

export const tenantInvitationRelations = relations(tenantInvitation, ({ one }) => ({
  tenant: one(tenant, { fields: [tenantInvitation.tenantId], references: [tenant.id] }),
  inviter: one(user, { fields: [tenantInvitation.invitedBy], references: [user.id] }),
}));

export const tenantUsageRelations = relations(tenantUsage, ({ one }) => ({
  tenant: one(tenant, { fields: [tenantUsage.tenantId], references: [tenant.id] }),
}));

export const mcpServerRelations = relations(mcpServer, ({ one, many }) => ({
  tenant: one(tenant, { fields: [mcpServer.tenantId], references: [tenant.id] }),
  owner: one(user, { fields: [mcpServer.ownerId], references: [user.id] }),
  tools: many(mcpTool),
  resources: many(mcpResource),
  prompts: many(mcpPrompt),
  /** What this server needs. */
  dependencies: many(mcpServerDependency, { relationName: 'dependencies' }),
  /** What needs this server. */
  dependents: many(mcpServerDependency, { relationName: 'dependents' }),
  healthChecks: many(mcpServerHealthCheck),
  usage: many(apiUsage),
  state: one(serverState),
  uptimeDays: many(uptimeDay),
}));

export const mcpToolRelations = relations(mcpTool, ({ one }) => ({
  server: one(mcpServer, { fields: [mcpTool.serverId], references: [mcpServer.id] }),
}));

export const mcpResourceRelations = relations(mcpResource, ({ one }) => ({
  server: one(mcpServer, { fields: [mcpResource.serverId], references: [mcpServer.id] }),
}));

export const mcpPromptRelations = relations(mcpPrompt, ({ one }) => ({
  server: one(mcpServer, { fields: [mcpPrompt.serverId], references: [mcpServer.id] }),
}));

export const mcpServerDependencyRelations = relations(mcpServerDependency, ({ one }) => ({
  server: one(mcpServer, {
    fields: [mcpServerDependency.serverId],
    references: [mcpServer.id],
    relationName: 'dependencies',
  }),
  dependsOnServer: one(mcpServer, {
    fields: [mcpServerDependency.dependsOnServerId],
    references: [mcpServer.id],
    relationName: 'dependents',
  }),
}));

export const mcpServerHealthCheckRelations = relations(mcpServerHealthCheck, ({ one }) => ({
  server: one(mcpServer, { fields: [mcpServerHealthCheck.serverId], references: [mcpServer.id] }),
}));

export const apiTokenRelations = relations(apiToken, ({ one, many }) => ({
  user: one(user, { fields: [apiToken.userId], references: [user.id] }),
  tenant: one(tenant, { fields: [apiToken.tenantId], references: [tenant.id] }),
  usage: many(apiUsage),
  violations: many(rateLimitViolation),
  usageStats: many(apiUsageStats),
}));

export const apiUsageRelations = relations(apiUsage, ({ one }) => ({
  token: one(apiToken, { fields: [apiUsage.tokenId], references: [apiToken.id] }),
  user: one(user, { fields: [apiUsage.userId], references: [user.id] }),
  tenant: one(tenant, { fields: [apiUsage.tenantId], references: [tenant.id] }),
  server: one(mcpServer, { fields: [apiUsage.serverId], references: [mcpServer.id] }),
}));

export const apiUsageStatsRelations = relations(apiUsageStats, ({ one }) => ({
  token: one(apiToken, { fields: [apiUsageStats.tokenId], references: [apiToken.id] }),
  user: one(user, { fields: [apiUsageStats.userId], references: [user.id] }),
  tenant: one(tenant, { fields: [apiUsageStats.tenantId], references: [tenant.id] }),
  server: one(mcpServer, { fields: [apiUsageStats.serverId], references: [mcpServer.id] }),
}));

export const rateLimitConfigRelations = relations(rateLimitConfig, ({ many }) => ({
  violations: many(rateLimitViolation),
}));

export const rateLimitViolationRelations = relations(rateLimitViolation, ({ one }) => ({
  token: one(apiToken, { fields: [rateLimitViolation.tokenId], references: [apiToken.id] }),
  user: one(user, { fields: [rateLimitViolation.userId], references: [user.id] }),
  tenant: one(tenant, { fields: [rateLimitViolation.tenantId], references: [tenant.id] }),
  rule: one(rateLimitConfig, { fields: [rateLimitViolation.ruleId], references: [rateLimitConfig.id] }),
}));

export const auditLogRelations = relations(auditLog, ({ one }) => ({
  tenant: one(tenant, { fields: [auditLog.tenantId], references: [tenant.id] }),
  /** The user behind an entry whose actorType is user; null otherwise. */
  actor: one(user, { fields: [auditLog.actorId], references: [user.id] }),
}));

export const systemEventRelations = relations(systemEvent, ({ one }) => ({
  tenant: one(tenant, { fields: [systemEvent.tenantId], references: [tenant.id] }),
}));

export const errorLogRelations = relations(errorLog, ({ one }) => ({
  tenant: one(tenant, { fields: [errorLog.tenantId], references: [tenant.id] }),
  user: one(user, { fields: [errorLog.userId], references: [user.id] }),
}));

export const securityEventRelations = relations(securityEvent, ({ one }) => ({
  tenant: one(tenant, { fields: [securityEvent.tenantId], references: [tenant.id] }),
  user: one(user, { fields: [securityEvent.userId], references: [user.id] }),
}));

export const featureFlagRelations = relations(featureFlag, ({ many }) => ({
  evaluations: many(featureFlagEvaluation),
}));

export const featureFlagEvaluationRelations = relations(featureFlagEvaluation, ({ one }) => ({
  flag: one(featureFlag, { fields: [featureFlagEvaluation.flagId], references: [featureFlag.id] }),
  user: one(user, { fields: [featureFlagEvaluation.userId], references: [user.id] }),
  tenant: one(tenant, { fields: [featureFlagEvaluation.tenantId], references: [tenant.id] }),
}));

export const systemConfigRelations = relations(systemConfig, ({ one }) => ({
  modifier: one(user, { fields: [systemConfig.lastModifiedBy], references: [user.id] }),
}));

export const maintenanceWindowRelations = relations(maintenanceWindow, ({ one }) => ({
  creator: one(user, { fields: [maintenanceWindow.createdBy], references: [user.id] }),
}));

export const systemAnnouncementRelations = relations(systemAnnouncement, ({ one, many }) => ({
  creator: one(user, { fields: [systemAnnouncement.createdBy], references: [user.id] }),
  acknowledgments: many(announcementAcknowledgment),
}));

export const announcementAcknowledgmentRelations = relations(announcementAcknowledgment, ({ one }) => ({
  announcement: one(systemAnnouncement, {
    fields: [announcementAcknowledgment.announcementId],
    references: [systemAnnouncement.id],
  }),
  user: one(user, { fields: [announcementAcknowledgment.userId], references: [user.id] }),
}));

export const serverStateRelations = relations(serverState, ({ one }) => ({
  server: one(mcpServer, { fields: [serverState.serverId], references: [mcpServer.id] }),
}));

export const uptimeDayRelations = relations(uptimeDay, ({ one }) => ({
  server: one(mcpServer, { fields: [uptimeDay.serverId], references: [mcpServer.id] }),
}));
