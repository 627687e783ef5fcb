/** The shapes of the gateway's JSON columns. Every property is optional unless the contract says otherwise. */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
/** An object of which nothing is known beforehand. */
export type JsonObject = Record<string, unknown>;
type Counts = Record<string, number>;

export interface UserPreferences {
  theme?: 'light' | 'dark' | 'system';
  notifications?: boolean;
  language?: string;
}

export interface SessionDevice {
  browser?: string;
  os?: string;
  device?: string;
  isMobile?: boolean;
}

export interface TenantFeatures {
  customDomain?: boolean;
  sso?: boolean;
  advancedAnalytics?: boolean;
  prioritySupport?: boolean;
  apiAccess?: boolean;
  webhooks?: boolean;
}

export interface TenantSettings {
  allowUserRegistration?: boolean;
  requireEmailVerification?: boolean;
  /** Minutes. */
  sessionTimeout?: number;
  passwordPolicy?: {
    minLength?: number;
    requireUppercase?: boolean;
    requireLowercase?: boolean;
    requireNumbers?: boolean;
    requireSymbols?: boolean;
  };
  /** `api` per minute, `login` per hour. */
  rateLimits?: { api?: number; login?: number };
  branding?: { logo?: string; primaryColor?: string; secondaryColor?: string };
}

export interface MemberPermissions {
  servers?: { read?: boolean; write?: boolean; delete?: boolean };
  users?: { read?: boolean; write?: boolean; invite?: boolean };
  billing?: { read?: boolean; write?: boolean };
  settings?: { read?: boolean; write?: boolean };
  audit?: { read?: boolean };
}

export interface UsageDetails {
  apiCallsByEndpoint?: Counts;
  apiCallsByStatus?: Counts;
  storageByType?: Counts;
  serversByType?: Counts;
  serversByStatus?: Counts;
  errorsByType?: Counts;
}

export interface AuthConfig {
  /** In place of all the others: what mcp-vitals sealed. */
  sealed?: string;
  apiKey?: string;
  bearerToken?: string;
  oauth?: { clientId?: string; clientSecret?: string; scope?: string };
  custom?: JsonObject;
}

/** What a server advertised, unknown families included. */
export interface ServerCapabilities {
  tools?: { listChanged?: boolean };
  resources?: { subscribe?: boolean; listChanged?: boolean };
  prompts?: { listChanged?: boolean };
  logging?: JsonObject;
  experimental?: JsonObject;
  [family: string]: unknown;
}

export interface ServerSettings {
  /** Milliseconds. */
  timeout?: number;
  retryPolicy?: { maxRetries?: number; backoffMs?: number; exponential?: boolean };
  rateLimit?: { rpm?: number; burst?: number };
  caching?: { enabled?: boolean; ttlSeconds?: number };
  logging?: { enabled?: boolean; level?: string };
}

/** A JSON Schema. */
export interface ToolInputSchema {
  type: string;
  [keyword: string]: unknown;
}

export interface ResourceAnnotations {
  audience?: string[];
  priority?: number;
  custom?: JsonObject;
}

export interface PromptArgument {
  name: string;
  description?: string;
  type?: string;
  required?: boolean;
  default?: unknown;
}

export interface HealthMetrics {
  cpu?: number;
  memory?: number;
  uptime?: number;
  version?: string;
  /** The worker's phase timings and reason. */
  custom?: JsonObject;
}

export interface TokenRateLimit {
  rpm?: number;
  rph?: number;
  rpd?: number;
  burst?: number;
}

export interface RateLimitRule extends TokenRateLimit {
  /** A pattern such as `/v1/servers/*`. */
  path?: string;
  method?: string;
  /** Seconds. */
  windowSize?: number;
}

export interface ViolationMetadata {
  requestId?: string;
  responseTime?: number;
  severity?: 'low' | 'medium' | 'high';
}

export interface UsageMetadata {
  requestId?: string;
  traceId?: string;
  spanId?: string;
  custom?: JsonObject;
}

export type StatusBreakdown = Partial<Record<'2xx' | '3xx' | '4xx' | '5xx', number>>;
export type EndpointBreakdown = Record<string, { requests: number; errors: number; avgResponseTime: number }>;

export interface AuditChanges {
  before?: JsonObject;
  after?: JsonObject;
  fields?: string[];
}

export interface AuditMetadata {
  location?: { country?: string; region?: string; city?: string };
  device?: { type?: string; os?: string; browser?: string };
  custom?: JsonObject;
}

export interface ErrorDevice {
  browser?: string;
  os?: string;
  device?: string;
  viewport?: { width?: number; height?: number };
}

export interface SecurityDetails {
  failedAttempts?: number;
  timeWindow?: number;
  patterns?: string[];
  riskScore?: number;
  custom?: JsonObject;
}

export interface TargetingRule {
  conditions: {
    /** Such as `user.role` or `tenant.planType`. */
    attribute: string;
    operator: 'equals' | 'not_equals' | 'in' | 'not_in' | 'contains' | 'starts_with' | 'ends_with';
    value: unknown;
  }[];
  value: unknown;
  /** 0 to 100. */
  percentage?: number;
  description?: string;
}

/** The value to serve in each environment. */
export interface FlagEnvironments {
  development?: unknown;
  staging?: unknown;
  production?: unknown;
  testing?: unknown;
}

export interface EvaluationMetadata {
  ruleIndex?: number;
  experiment?: string;
  variant?: string;
  segmentId?: string;
  rolloutPercentage?: number;
  custom?: JsonObject;
}

export interface ConfigValidation {
  type?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: unknown[];
  required?: boolean | string[];
  format?: string;
  items?: JsonObject;
}
