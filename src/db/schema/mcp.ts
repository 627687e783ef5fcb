/** Registered MCP servers, what they offer, and their checks: the gateway's tables that the worker writes. */
import { boolean, index, integer, json, numeric, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { at, madeAt, touchedAt } from './columns.ts';
import type {
  AuthConfig,
  HealthMetrics,
  PromptArgument,
  ResourceAnnotations,
  ServerCapabilities,
  ServerSettings,
  ToolInputSchema,
} from './json.ts';

export const mcpServer = pgTable(
  'mcp_server',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    description: text('description'),
    version: text('version').notNull(),
    endpointUrl: text('endpoint_url').notNull(),
    transportType: text('transport_type', { enum: ['http', 'websocket', 'stdio', 'sse'] }).notNull(),
    authType: text('auth_type', { enum: ['none', 'bearer', 'api_key', 'oauth', 'custom'] })
      .notNull()
      .default('none'),
    authConfig: json('auth_config').$type<AuthConfig>(),
    status: text('status', { enum: ['active', 'inactive', 'error', 'maintenance'] })
      .notNull()
      .default('inactive'),
    healthStatus: text('health_status', { enum: ['healthy', 'unhealthy', 'unknown'] })
      .notNull()
      .default('unknown'),
    lastHealthCheck: at('last_health_check'),
    healthCheckInterval: integer('health_check_interval').default(300),
    capabilities: json('capabilities').$type<ServerCapabilities>().default({}),
    tags: json('tags').$type<string[]>().default([]),
    category: text('category'),
    tenantId: text('tenant_id'),
    ownerId: text('owner_id').notNull(),
    isPublic: boolean('is_public').default(false),
    requestCount: integer('request_count').default(0),
    errorCount: integer('error_count').default(0),
    avgResponseTime: numeric('avg_response_time', { precision: 10, scale: 3 }),
    uptime: numeric('uptime', { precision: 5, scale: 2 }).default('100.00'),
    settings: json('settings').$type<ServerSettings>().default({}),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    lastUsedAt: at('last_used_at'),
  },
  (table) => [
    index('mcp_server_name_idx').on(table.name),
    index('mcp_server_status_idx').on(table.status),
    index('mcp_server_health_idx').on(table.healthStatus),
    index('mcp_server_tenant_idx').on(table.tenantId),
    index('mcp_server_owner_idx').on(table.ownerId),
    index('mcp_server_public_idx').on(table.isPublic),
    index('mcp_server_category_idx').on(table.category),
    index('mcp_server_last_used_idx').on(table.lastUsedAt),
  ],
);

export const mcpTool = pgTable(
  'mcp_tool',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    description: text('description'),
    inputSchema: json('input_schema').$type<ToolInputSchema>(),
    tags: json('tags').$type<string[]>().default([]),
    category: text('category'),
    callCount: integer('call_count').default(0),
    errorCount: integer('error_count').default(0),
    avgExecutionTime: numeric('avg_execution_time', { precision: 10, scale: 3 }),
    isActive: boolean('is_active').default(true),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    lastUsedAt: at('last_used_at'),
  },
  (table) => [
    unique().on(table.serverId, table.name),
    index('mcp_tool_server_idx').on(table.serverId),
    index('mcp_tool_name_idx').on(table.name),
    index('mcp_tool_category_idx').on(table.category),
    index('mcp_tool_active_idx').on(table.isActive),
  ],
);

export const mcpResource = pgTable(
  'mcp_resource',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    uri: text('uri').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    mimeType: text('mime_type'),
    size: integer('size'),
    annotations: json('annotations').$type<ResourceAnnotations>(),
    contentType: text('content_type', {
      enum: ['text', 'binary', 'json', 'xml', 'image', 'video', 'audio', 'other'],
    }).default('text'),
    accessCount: integer('access_count').default(0),
    isActive: boolean('is_active').default(true),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    lastAccessedAt: at('last_accessed_at'),
  },
  (table) => [
    unique().on(table.serverId, table.uri),
    index('mcp_resource_server_idx').on(table.serverId),
    index('mcp_resource_uri_idx').on(table.uri),
    index('mcp_resource_name_idx').on(table.name),
    index('mcp_resource_mime_type_idx').on(table.mimeType),
    index('mcp_resource_active_idx').on(table.isActive),
  ],
);

export const mcpPrompt = pgTable(
  'mcp_prompt',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    description: text('description'),
    template: text('template').notNull(),
    arguments: json('arguments').$type<PromptArgument[]>().default([]),
    tags: json('tags').$type<string[]>().default([]),
    category: text('category'),
    useCount: integer('use_count').default(0),
    isActive: boolean('is_active').default(true),
    createdAt: madeAt('created_at').notNull(),
    updatedAt: touchedAt('updated_at').notNull(),
    lastUsedAt: at('last_used_at'),
  },
  (table) => [
    unique().on(table.serverId, table.name),
    index('mcp_prompt_server_idx').on(table.serverId),
    index('mcp_prompt_name_idx').on(table.name),
    index('mcp_prompt_category_idx').on(table.category),
    index('mcp_prompt_active_idx').on(table.isActive),
  ],
);

export const mcpServerDependency = pgTable(
  'mcp_server_dependency',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    dependsOnServerId: text('depends_on_server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    dependencyType: text('dependency_type', { enum: ['required', 'optional', 'fallback'] })
      .notNull()
      .default('required'),
    createdAt: madeAt('created_at').notNull(),
  },
  (table) => [
    unique().on(table.serverId, table.dependsOnServerId),
    index('mcp_server_dependency_server_idx').on(table.serverId),
    index('mcp_server_dependency_depends_on_idx').on(table.dependsOnServerId),
  ],
);

export const mcpServerHealthCheck = pgTable(
  'mcp_server_health_check',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    serverId: text('server_id')
      .notNull()
      .references(() => mcpServer.id, { onDelete: 'cascade' }),
    status: text('status', { enum: ['healthy', 'unhealthy', 'timeout', 'error'] }).notNull(),
    responseTime: integer('response_time'),
    errorMessage: text('error_message'),
    metrics: json('metrics').$type<HealthMetrics>(),
    checkedAt: madeAt('checked_at').notNull(),
  },
  (table) => [
    index('mcp_server_health_check_server_idx').on(table.serverId),
    index('mcp_server_health_check_status_idx').on(table.status),
    index('mcp_server_health_check_checked_at_idx').on(table.checkedAt),
    // Ours, beside the contract's: long spans of time.
    index('mcp_server_health_check_checked_brin').using('brin', table.checkedAt).concurrently(),
    // And the history of one server, newest first. Nulls first, as ORDER BY … DESC has them.
    index('mcp_server_health_check_server_checked_idx')
      .on(table.serverId, table.checkedAt.desc().nullsFirst())
      .concurrently(),
  ],
);
