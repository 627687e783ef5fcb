CREATE TABLE "vitals"."alert" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"severity" text NOT NULL,
	"server_id" text,
	"tenant_id" text,
	"title" text NOT NULL,
	"description" text,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	"incident_id" uuid,
	"event_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."delivery" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"channel" text NOT NULL,
	"group_key" text NOT NULL,
	"seq" bigint GENERATED ALWAYS AS IDENTITY (sequence name "vitals"."delivery_seq_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"once_key" text,
	"message" jsonb NOT NULL,
	"transitions" jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"lease_until" timestamp with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"sent_at" timestamp with time zone,
	"failed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "vitals"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "vitals"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert_id" uuid NOT NULL,
	"transition" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"done_at" timestamp with time zone,
	"held_because" text
);
--> statement-breakpoint
CREATE TABLE "vitals"."told" (
	"alert_id" uuid NOT NULL,
	"channel" text NOT NULL,
	"group_key" text NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	"failed_at" timestamp with time zone,
	CONSTRAINT "told_alert_id_channel_pk" PRIMARY KEY("alert_id","channel")
);
--> statement-breakpoint
CREATE TABLE "vitals"."server_certificate" (
	"server_id" text PRIMARY KEY NOT NULL,
	"issuer" text,
	"subject" text,
	"expires_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."definition" (
	"hash" text PRIMARY KEY NOT NULL,
	"body" text,
	"bytes" integer NOT NULL,
	"used_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."inventory_change" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "vitals"."inventory_change_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"server_id" text NOT NULL,
	"snapshot_hash" text NOT NULL,
	"previous_hash" text,
	"identity" jsonb NOT NULL,
	"changes" jsonb NOT NULL,
	"counts" jsonb NOT NULL,
	"grade" text,
	"tokens" integer NOT NULL,
	"previous_tokens" integer,
	"kept_bytes" integer NOT NULL,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."inventory_pin" (
	"server_id" text PRIMARY KEY NOT NULL,
	"snapshot_hash" text NOT NULL,
	"pinned_at" timestamp with time zone NOT NULL,
	"pinned_by" text
);
--> statement-breakpoint
CREATE TABLE "vitals"."inventory_snapshot" (
	"hash" text PRIMARY KEY NOT NULL,
	"server_name" text,
	"items" jsonb NOT NULL,
	"tokens" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "because_of" text;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "own" jsonb;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "own_status" text;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "failing_since" timestamp with time zone;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "memory" jsonb;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "latency" jsonb;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "flapping" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "error_budget_left" real;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "shared" jsonb;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "budget_day" date;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "probes_today" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "bytes_today" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "vitals"."server_state" ADD COLUMN "hurried_at" timestamp with time zone;
--> statement-breakpoint
ALTER TABLE "vitals"."alert" ADD CONSTRAINT "alert_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE set null ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."outbox" ADD CONSTRAINT "outbox_alert_id_alert_id_fk" FOREIGN KEY ("alert_id") REFERENCES "vitals"."alert"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."told" ADD CONSTRAINT "told_alert_id_alert_id_fk" FOREIGN KEY ("alert_id") REFERENCES "vitals"."alert"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."server_certificate" ADD CONSTRAINT "server_certificate_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."inventory_change" ADD CONSTRAINT "inventory_change_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."inventory_change" ADD CONSTRAINT "inventory_change_snapshot_hash_inventory_snapshot_hash_fk" FOREIGN KEY ("snapshot_hash") REFERENCES "vitals"."inventory_snapshot"("hash") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."inventory_pin" ADD CONSTRAINT "inventory_pin_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "vitals"."inventory_pin" ADD CONSTRAINT "inventory_pin_snapshot_hash_inventory_snapshot_hash_fk" FOREIGN KEY ("snapshot_hash") REFERENCES "vitals"."inventory_snapshot"("hash") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
CREATE UNIQUE INDEX "alert_firing_key_idx" ON "vitals"."alert" USING btree ("key") WHERE "vitals"."alert"."resolved_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "alert_server_idx" ON "vitals"."alert" USING btree ("server_id","started_at");
--> statement-breakpoint
CREATE INDEX "alert_started_idx" ON "vitals"."alert" USING btree ("started_at");
--> statement-breakpoint
CREATE INDEX "delivery_waiting_idx" ON "vitals"."delivery" USING btree ("next_attempt_at") WHERE "vitals"."delivery"."sent_at" IS NULL AND "vitals"."delivery"."failed_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "delivery_group_idx" ON "vitals"."delivery" USING btree ("channel","group_key","seq");
--> statement-breakpoint
CREATE UNIQUE INDEX "delivery_once_idx" ON "vitals"."delivery" USING btree ("once_key") WHERE "vitals"."delivery"."once_key" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "outbox_waiting_idx" ON "vitals"."outbox" USING btree ("created_at") WHERE "vitals"."outbox"."done_at" IS NULL;
--> statement-breakpoint
CREATE INDEX "outbox_alert_idx" ON "vitals"."outbox" USING btree ("alert_id");
--> statement-breakpoint
CREATE INDEX "definition_used_idx" ON "vitals"."definition" USING btree ("used_at");
--> statement-breakpoint
CREATE INDEX "inventory_change_server_idx" ON "vitals"."inventory_change" USING btree ("server_id","changed_at");
--> statement-breakpoint
CREATE INDEX "inventory_change_snapshot_idx" ON "vitals"."inventory_change" USING btree ("snapshot_hash");
--> statement-breakpoint
CREATE INDEX "inventory_pin_snapshot_idx" ON "vitals"."inventory_pin" USING btree ("snapshot_hash");
--> statement-breakpoint
CREATE INDEX "server_state_host_idx" ON "vitals"."server_state" USING btree ("host_key","last_probe_at");
--> statement-breakpoint
CREATE INDEX "server_state_failing_idx" ON "vitals"."server_state" USING btree ("failing_since") WHERE "vitals"."server_state"."failing_since" IS NOT NULL;
