CREATE TABLE "vitals"."rollup_watermark" (
	"rollup" text PRIMARY KEY NOT NULL,
	"system_identifier" text NOT NULL,
	"next_xid" bigint DEFAULT 0 NOT NULL,
	"taken_at" timestamp with time zone,
	"seen_xid" bigint,
	"seen_at" timestamp with time zone,
	"backfilled_to" timestamp with time zone,
	"backfill_done" boolean DEFAULT false NOT NULL,
	"backfill_rebuilds" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vitals"."usage_bucket" (
	"period" text NOT NULL,
	"period_start" timestamp with time zone NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"requests" bigint DEFAULT 0 NOT NULL,
	"errors" bigint DEFAULT 0 NOT NULL,
	"time_sum" bigint DEFAULT 0 NOT NULL,
	"timed" bigint DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"status_2xx" bigint DEFAULT 0 NOT NULL,
	"status_3xx" bigint DEFAULT 0 NOT NULL,
	"status_5xx" bigint DEFAULT 0 NOT NULL,
	"sketch" bigint[],
	"clients" integer[],
	"endpoints" jsonb,
	CONSTRAINT "usage_bucket_period_period_start_kind_key_pk" PRIMARY KEY("period","period_start","kind","key")
);
--> statement-breakpoint
CREATE TABLE "vitals"."usage_set_aside" (
	"found_at" timestamp with time zone NOT NULL,
	"problem" text NOT NULL,
	"rows" bigint NOT NULL,
	"examples" uuid[] DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE INDEX "usage_set_aside_found_idx" ON "vitals"."usage_set_aside" USING btree ("found_at");
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
--> statement-breakpoint
-- A sketch is sorted numbers bin * 2^40 + count: see src/core/sketch.
CREATE FUNCTION "vitals"."merge_sketches"(a bigint[], b bigint[]) RETURNS bigint[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE (
    SELECT array_agg((bin << 40) + n ORDER BY bin) FROM (
      SELECT e >> 40 AS bin, sum(e & 1099511627775)::bigint AS n FROM unnest(a || b) e GROUP BY 1) s) END
$$;
--> statement-breakpoint
-- What these shares of so many durations, in rising order, do not exceed; NULL without a sketch.
CREATE FUNCTION "vitals"."sketch_quantiles"(sketch bigint[], total bigint, shares float8[]) RETURNS float8[]
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE e bigint; reached bigint := 0; place int := 1; wanted float8 := greatest(1, ceil(shares[1] * total)); found float8[];
BEGIN
  IF sketch IS NULL THEN RETURN NULL; END IF;
  FOREACH e IN ARRAY sketch LOOP
    reached := reached + (e & 1099511627775);
    WHILE place <= cardinality(shares) AND reached >= wanted LOOP
      found[place] := CASE WHEN e >> 40 = 0 THEN 0 ELSE 0.01::float8 * 2 * 1.02::float8 ^ (e >> 40) / 2.02::float8 END;
      place := place + 1;
      wanted := greatest(1, ceil(shares[place] * total));
    END LOOP;
    EXIT WHEN place > cardinality(shares);
  END LOOP;
  RETURN found;
END
$$;
--> statement-breakpoint
-- Clients are a HyperLogLog of 2048 registers, of which the empty ones are left out: 64 * register + rank.
CREATE FUNCTION "vitals"."client_entry"(client text) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ((h & 2047)::int << 6) + CASE WHEN (h >> 11) & 4503599627370495 = 0 THEN 53
    ELSE position('1' in ((h >> 11) & 4503599627370495)::bit(52)::text) END
  FROM (SELECT hashtextextended(client, 0) AS h) s
$$;
--> statement-breakpoint
CREATE FUNCTION "vitals"."merge_clients"(a integer[], b integer[]) RETURNS integer[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN a IS NULL THEN b WHEN b IS NULL THEN a ELSE (
    SELECT array_agg(e ORDER BY e) FROM (SELECT max(e) AS e FROM unnest(a || b) e GROUP BY e >> 6) s) END
$$;
--> statement-breakpoint
CREATE FUNCTION "vitals"."count_many_clients"(clients integer[]) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT round(CASE WHEN estimate <= 2.5 * 2048 AND used < 2048 THEN 2048 * ln(2048 / (2048 - used)) ELSE estimate END)::int
  FROM (SELECT count(*)::float8 AS used,
      0.7213 / (1 + 1.079 / 2048) * 2048 ^ 2 / (sum(2::float8 ^ -(e & 63)) + 2048 - count(*)) AS estimate
    FROM unnest(clients) e) s
$$;
--> statement-breakpoint
-- Without a subquery, so that PostgreSQL makes it part of the query. Up to 1457 registers the estimate is
-- below 2.5 * 2048, whatever is in them.
CREATE FUNCTION "vitals"."count_clients"(clients integer[]) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN clients IS NULL THEN 0
    WHEN cardinality(clients) <= 1457 THEN round(2048 * ln(2048::float8 / (2048 - cardinality(clients))))::int
    ELSE vitals.count_many_clients(clients) END
$$;
--> statement-breakpoint
-- The hundred busiest paths by name, the others in sum.
CREATE FUNCTION "vitals"."merge_endpoints"(a jsonb, b jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_object_agg(path, jsonb_build_array(n, errors, time_sum, timed)) FROM (
    SELECT path, sum(n) AS n, sum(errors) AS errors, sum(time_sum) AS time_sum, sum(timed) AS timed FROM (
      SELECT CASE WHEN path <> '(other)' AND row_number() OVER (ORDER BY path = '(other)', n DESC, path) <= 100
          THEN path ELSE '(other)' END AS path, n, errors, time_sum, timed FROM (
        SELECT key AS path, sum((value->>0)::bigint) AS n, sum((value->>1)::bigint) AS errors,
          sum((value->>2)::bigint) AS time_sum, sum((value->>3)::bigint) AS timed
        FROM (SELECT * FROM jsonb_each(coalesce(a, '{}')) UNION ALL SELECT * FROM jsonb_each(coalesce(b, '{}'))) e
        GROUP BY key) g) r
    GROUP BY path) s
$$;
