-- vitals: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "api_usage_vitals_xid_idx" ON "api_usage" USING brin ("vitals_xid") WITH (autosummarize = on, pages_per_range = 32);
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "mcp_server_health_check_vitals_xid_idx" ON "mcp_server_health_check" USING brin ("vitals_xid") WITH (autosummarize = on, pages_per_range = 32);
