-- vitals: no-transaction
CREATE TABLE IF NOT EXISTS "vitals"."setting" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL,
	"applied_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "api_usage_requested_brin" ON "api_usage" USING brin ("requested_at");
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "audit_log_occurred_brin" ON "audit_log" USING brin ("occurred_at");
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "mcp_server_health_check_checked_brin" ON "mcp_server_health_check" USING brin ("checked_at");
