/** The whole schema: what `drizzle(…, { schema })` and drizzle-kit read. */
export * from './admin.ts';
export * from './api.ts';
export * from './audit.ts';
export * from './auth.ts';
export * from './mcp.ts';
export * from './relations.ts';
export * from './tenant.ts';
export * from './vitals.ts';
export * from './vitals-alerts.ts';
export * from './vitals-certificates.ts';
export * from './vitals-drift.ts';
export * from './vitals-health.ts';
export * from './vitals-rollup.ts';
export * from './vitals-settings.ts';
