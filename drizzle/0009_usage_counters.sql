-- vitals: no-transaction
CREATE TABLE IF NOT EXISTS "vitals"."tool_time" (
	"tool_id" uuid PRIMARY KEY NOT NULL,
	"time_sum" bigint DEFAULT 0 NOT NULL,
	"timed" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "tool_time_tool_id_mcp_tool_id_fk" FOREIGN KEY ("tool_id") REFERENCES "public"."mcp_tool"("id") ON DELETE cascade ON UPDATE no action
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS "vitals"."usage_counted" (
	"server_id" text NOT NULL,
	"day" date NOT NULL,
	"tool" text NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"errors" bigint DEFAULT 0 NOT NULL,
	"time_sum" bigint DEFAULT 0 NOT NULL,
	"timed" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "usage_counted_server_id_day_tool_pk" PRIMARY KEY("server_id","day","tool")
);
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "usage_counted_day_idx" ON "vitals"."usage_counted" USING btree ("day");
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "usage_bucket_each_hour_idx" ON "vitals"."usage_bucket" USING btree ("period_start") WHERE "vitals"."usage_bucket"."period" = 'hour' AND "vitals"."usage_bucket"."kind" IN ('user', 'token');
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "system_event_vitals_idx" ON "system_event" USING btree ("occurred_at") WHERE "system_event"."source" = 'mcp-vitals';
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "uptime_day_day_idx" ON "vitals"."uptime_day" USING btree ("day");
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "alert_incident_idx" ON "vitals"."alert" USING btree ("incident_id") WHERE "vitals"."alert"."incident_id" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "alert_resolved_idx" ON "vitals"."alert" USING btree ("resolved_at") WHERE "vitals"."alert"."resolved_at" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "delivery_created_idx" ON "vitals"."delivery" USING btree ("created_at");
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "outbox_done_idx" ON "vitals"."outbox" USING btree ("done_at") WHERE "vitals"."outbox"."done_at" IS NOT NULL;
--> statement-breakpoint
-- A hundred paths by name, the others in sum. Which ones depends on their names alone, the shortest first: a path
-- that is named at last was never among the others, so that its sums are exact, in whatever order calls came.
CREATE OR REPLACE FUNCTION "vitals"."merge_endpoints"(a jsonb, b jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_object_agg(path, jsonb_build_array(n, errors, time_sum, timed)) FROM (
    SELECT path, sum(n) AS n, sum(errors) AS errors, sum(time_sum) AS time_sum, sum(timed) AS timed FROM (
      SELECT CASE WHEN path <> '(other)'
            AND row_number() OVER (ORDER BY path = '(other)', length(path), path COLLATE "C") <= 100
          THEN path ELSE '(other)' END AS path, n, errors, time_sum, timed FROM (
        SELECT key AS path, sum((value->>0)::bigint) AS n, sum((value->>1)::bigint) AS errors,
          sum((value->>2)::bigint) AS time_sum, sum((value->>3)::bigint) AS timed
        FROM (SELECT * FROM jsonb_each(coalesce(a, '{}')) UNION ALL SELECT * FROM jsonb_each(coalesce(b, '{}'))) e
        GROUP BY key) g) r
    GROUP BY path) s
$$;
