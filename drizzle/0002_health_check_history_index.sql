-- vitals: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "mcp_server_health_check_server_checked_idx" ON "mcp_server_health_check" USING btree ("server_id","checked_at" DESC NULLS FIRST);
