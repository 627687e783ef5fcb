CREATE TABLE "vitals"."server_certificate" (
	"server_id" text PRIMARY KEY NOT NULL,
	"issuer" text,
	"subject" text,
	"expires_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "vitals"."server_certificate" ADD CONSTRAINT "server_certificate_server_id_mcp_server_id_fk" FOREIGN KEY ("server_id") REFERENCES "public"."mcp_server"("id") ON DELETE cascade ON UPDATE no action;