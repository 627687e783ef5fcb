CREATE TABLE "vitals"."health_day" (
	"server_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"up" integer DEFAULT 0 NOT NULL,
	"degraded" integer DEFAULT 0 NOT NULL,
	"down" integer DEFAULT 0 NOT NULL,
	"unauthenticated" integer DEFAULT 0 NOT NULL,
	"waking" integer DEFAULT 0 NOT NULL,
	"unknown" integer DEFAULT 0 NOT NULL,
	"maintenance" integer DEFAULT 0 NOT NULL,
	"healthy" integer DEFAULT 0 NOT NULL,
	"counted" integer DEFAULT 0 NOT NULL,
	"responses" integer DEFAULT 0 NOT NULL,
	"response_ms_sum" bigint DEFAULT 0 NOT NULL,
	"p50_ms" real,
	"p95_ms" real,
	"p99_ms" real,
	"latency" bigint[] NOT NULL,
	"reasons" jsonb,
	"worst_reason" text,
	CONSTRAINT "health_day_server_id_at_pk" PRIMARY KEY("server_id","at")
);
--> statement-breakpoint
CREATE TABLE "vitals"."health_hour" (
	"server_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"up" integer DEFAULT 0 NOT NULL,
	"degraded" integer DEFAULT 0 NOT NULL,
	"down" integer DEFAULT 0 NOT NULL,
	"unauthenticated" integer DEFAULT 0 NOT NULL,
	"waking" integer DEFAULT 0 NOT NULL,
	"unknown" integer DEFAULT 0 NOT NULL,
	"maintenance" integer DEFAULT 0 NOT NULL,
	"healthy" integer DEFAULT 0 NOT NULL,
	"counted" integer DEFAULT 0 NOT NULL,
	"responses" integer DEFAULT 0 NOT NULL,
	"response_ms_sum" bigint DEFAULT 0 NOT NULL,
	"p50_ms" real,
	"p95_ms" real,
	"p99_ms" real,
	"latency" bigint[] NOT NULL,
	"reasons" jsonb,
	"worst_reason" text,
	CONSTRAINT "health_hour_server_id_at_pk" PRIMARY KEY("server_id","at")
);
--> statement-breakpoint
CREATE TABLE "vitals"."health_minute" (
	"server_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"up" integer DEFAULT 0 NOT NULL,
	"degraded" integer DEFAULT 0 NOT NULL,
	"down" integer DEFAULT 0 NOT NULL,
	"unauthenticated" integer DEFAULT 0 NOT NULL,
	"waking" integer DEFAULT 0 NOT NULL,
	"unknown" integer DEFAULT 0 NOT NULL,
	"maintenance" integer DEFAULT 0 NOT NULL,
	"healthy" integer DEFAULT 0 NOT NULL,
	"counted" integer DEFAULT 0 NOT NULL,
	"responses" integer DEFAULT 0 NOT NULL,
	"response_ms_sum" bigint DEFAULT 0 NOT NULL,
	"p50_ms" real,
	"p95_ms" real,
	"p99_ms" real,
	"latency" bigint[] NOT NULL,
	"reasons" jsonb,
	"worst_reason" text,
	CONSTRAINT "health_minute_server_id_at_pk" PRIMARY KEY("server_id","at")
);
--> statement-breakpoint
CREATE TABLE "vitals"."health_shift" (
	"server_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"up" integer DEFAULT 0 NOT NULL,
	"degraded" integer DEFAULT 0 NOT NULL,
	"down" integer DEFAULT 0 NOT NULL,
	"unauthenticated" integer DEFAULT 0 NOT NULL,
	"waking" integer DEFAULT 0 NOT NULL,
	"unknown" integer DEFAULT 0 NOT NULL,
	"maintenance" integer DEFAULT 0 NOT NULL,
	"healthy" integer DEFAULT 0 NOT NULL,
	"counted" integer DEFAULT 0 NOT NULL,
	"responses" integer DEFAULT 0 NOT NULL,
	"response_ms_sum" bigint DEFAULT 0 NOT NULL,
	"p50_ms" real,
	"p95_ms" real,
	"p99_ms" real,
	"latency" bigint[] NOT NULL,
	"reasons" jsonb,
	"worst_reason" text,
	CONSTRAINT "health_shift_server_id_at_pk" PRIMARY KEY("server_id","at")
);
--> statement-breakpoint
CREATE TABLE "vitals"."health_shift_week" (
	"server_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"points" text NOT NULL,
	CONSTRAINT "health_shift_week_server_id_at_pk" PRIMARY KEY("server_id","at")
);
--> statement-breakpoint
ALTER TABLE "vitals"."health_day" ADD CONSTRAINT "health_day_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vitals"."health_hour" ADD CONSTRAINT "health_hour_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vitals"."health_minute" ADD CONSTRAINT "health_minute_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vitals"."health_shift" ADD CONSTRAINT "health_shift_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vitals"."health_shift_week" ADD CONSTRAINT "health_shift_week_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "health_day_at_idx" ON "vitals"."health_day" USING btree ("at");--> statement-breakpoint
CREATE INDEX "health_hour_at_idx" ON "vitals"."health_hour" USING btree ("at");--> statement-breakpoint
CREATE INDEX "health_minute_at_idx" ON "vitals"."health_minute" USING btree ("at");--> statement-breakpoint
CREATE INDEX "health_shift_at_idx" ON "vitals"."health_shift" USING btree ("at");--> statement-breakpoint
CREATE INDEX "health_shift_week_at_idx" ON "vitals"."health_shift_week" USING btree ("at");