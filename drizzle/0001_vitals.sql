CREATE SCHEMA IF NOT EXISTS "vitals";
--> statement-breakpoint
CREATE TABLE "vitals"."job_run" (
	"job" text PRIMARY KEY NOT NULL,
	"last_started_at" timestamp with time zone,
	"last_finished_at" timestamp with time zone,
	"last_error" text,
	"data" jsonb
);
--> statement-breakpoint
CREATE TABLE "vitals"."server_state" (
	"server_id" text PRIMARY KEY NOT NULL,
	"host_key" text DEFAULT '' NOT NULL,
	"next_probe_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_slot" timestamp with time zone,
	"running_until" timestamp with time zone,
	"run_token" text,
	"era" text,
	"protocol_version" text,
	"verdict" text,
	"reason" text,
	"message" text,
	"verdict_since" timestamp with time zone,
	"last_probe_at" timestamp with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"successes" integer DEFAULT 0 NOT NULL,
	"status_written" text,
	"version_learnt" text,
	"inventory_hash" text,
	"counts" jsonb,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."uptime_day" (
	"server_id" text NOT NULL,
	"day" date NOT NULL,
	"checks" integer DEFAULT 0 NOT NULL,
	"healthy" integer DEFAULT 0 NOT NULL,
	"response_ms_sum" bigint DEFAULT 0 NOT NULL,
	"responses" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "uptime_day_server_id_day_pk" PRIMARY KEY("server_id","day")
);
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD CONSTRAINT "server_state_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vitals"."uptime_day" ADD CONSTRAINT "uptime_day_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "server_state_next_probe_idx" ON "vitals"."server_state" USING btree ("next_probe_at");--> statement-breakpoint
CREATE INDEX "server_state_busy_host_idx" ON "vitals"."server_state" USING btree ("host_key") WHERE "vitals"."server_state"."running_until" IS NOT NULL OR "vitals"."server_state"."lease_until" IS NOT NULL;