CREATE TABLE "vitals"."rollup_watermark" (
	"rollup" text PRIMARY KEY NOT NULL,
	"system_identifier" text NOT NULL,
	"next_xid" bigint DEFAULT 0 NOT NULL,
	"taken_at" timestamp with time zone,
	"seen_xid" bigint,
	"seen_at" timestamp with time zone,
	"backfilled_to" timestamp with time zone,
	"backfill_done" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
-- Which transaction each new row is of: what rollups find new rows by. Both steps are instant; a default
-- given with the column would be evaluated for every row that is there.
ALTER TABLE "api_usage" ADD COLUMN "vitals_xid" bigint;
--> statement-breakpoint
ALTER TABLE "api_usage" ALTER COLUMN "vitals_xid" SET DEFAULT (pg_current_xact_id()::text::bigint);
--> statement-breakpoint
ALTER TABLE "mcp_server_health_check" ADD COLUMN "vitals_xid" bigint;
--> statement-breakpoint
ALTER TABLE "mcp_server_health_check" ALTER COLUMN "vitals_xid" SET DEFAULT (pg_current_xact_id()::text::bigint);
