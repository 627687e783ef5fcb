-- vitals: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS "api_usage_server_requested_idx" ON "api_usage" USING btree ("server_id","requested_at");
