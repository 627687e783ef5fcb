import { sql } from 'drizzle-orm';
import { coverRange, type Segment } from '../../core/history/cover-range.ts';
import { EMPTY_BUCKET, type HealthBucket, mergeBuckets } from '../../core/history/health-bucket.ts';
import type { Database } from '../client.ts';
import { BUCKET_COLUMNS, type BucketRow, bucketOfRow, readTierSince, TIER_TABLE } from './tier-rows.ts';

type Session = Pick<Database, 'execute'>;

export interface UptimeRange {
  /** What the range was widened to: whole buckets of the finest tier that there is at each end. */
  segments: Segment[];
  /** The checks of each server in it, summed; a server without any is not in it. */
  servers: Map<string, HealthBucket>;
}

/**
 * The checks of servers over a range, summed: whole days, and towards its ends what is finer, so that the sum
 * is right to the finest tier's grain. It is as new as the last run of the rollup.
 */
export async function readUptime(
  db: Session,
  serverIds: readonly string[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<UptimeRange> {
  const segments = coverRange(fromMs, toMs, await readTierSince(db));
  const servers = new Map<string, HealthBucket>();
  const ids = JSON.stringify(serverIds);
  for (const segment of segments) {
    const rows = await db.execute<BucketRow & { serverId: string } & Record<string, unknown>>(sql`
      SELECT b.server_id AS "serverId", ${BUCKET_COLUMNS}
      FROM jsonb_array_elements_text(${ids}::jsonb) AS i(id)
      JOIN ${TIER_TABLE[segment.tier]} b ON b.server_id = i.id
      WHERE b.at >= to_timestamp(${segment.fromMs}::float8 / 1000)
        AND b.at < to_timestamp(${segment.toMs}::float8 / 1000)`);
    for (const row of rows) {
      const sum = servers.get(row.serverId) ?? EMPTY_BUCKET;
      servers.set(row.serverId, mergeBuckets(sum, bucketOfRow(row)));
    }
  }
  return { segments, servers };
}

/** Outages: alerts of servers that were down or refused us. */
export interface Outages {
  incidents: number;
  seconds: number;
}

/** How often each server had an outage within a range, and for how long of it; those without any are left out. */
export async function readOutages(
  db: Session,
  serverIds: readonly string[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Map<string, Outages>> {
  const rows = await db.execute<Outages & { serverId: string } & Record<string, unknown>>(sql`
    SELECT server_id AS "serverId", count(*)::int AS incidents,
      sum(extract(epoch FROM least(coalesce(resolved_at, now()), r.until) - greatest(started_at, r.since)))::float8 AS seconds
    FROM vitals.alert, (SELECT to_timestamp(${fromMs}::float8 / 1000) AS since,
      to_timestamp(${toMs}::float8 / 1000) AS until) r
    WHERE server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb))
      AND kind IN ('server_down', 'server_unauthenticated')
      AND started_at < r.until AND (resolved_at IS NULL OR resolved_at > r.since)
    GROUP BY server_id`);
  return new Map(rows.map(({ serverId, incidents, seconds }) => [serverId, { incidents, seconds }]));
}
