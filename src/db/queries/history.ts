import { sql } from 'drizzle-orm';
import { HEALTH_ALERTS } from '../../core/health/memory.ts';
import type { AlertSpan } from '../../core/replay/replay.ts';
import type { Database } from '../client.ts';

/** One row of a server's history, as a replay reads it. */
export interface HistoryRow extends Record<string, unknown> {
  atMs: number;
  message: string | null;
  /** metrics.custom. */
  custom: unknown;
}

/** Rows that are fetched at a time: a month of quick probes is more than a process should hold. */
const PAGE = 2_000;

/**
 * Where a replay from `sinceMs` has to begin: at the newest row before it that carries the state of the
 * server, else at the oldest that does; null when none does.
 */
export async function findReplayStart(
  db: Database,
  serverId: string,
  sinceMs: number,
): Promise<number | null> {
  const starts = sql`SELECT checked_at FROM mcp_server_health_check
    WHERE server_id = ${serverId} AND metrics->'custom'->'health'->'start' IS NOT NULL`;
  const since = sql`to_timestamp(${sinceMs}::float8 / 1000)`;
  // Each reads along the index to the first row that it finds: a day's rows at most, where there are any.
  const rows = await db.execute<{ atMs: number | null }>(sql`
    SELECT (extract(epoch FROM coalesce(
      (${starts} AND checked_at <= ${since} ORDER BY checked_at DESC NULLS LAST LIMIT 1),
      (${starts} ORDER BY checked_at LIMIT 1)
    )) * 1000)::float8 AS "atMs"`);
  const atMs = rows[0]?.atMs ?? null;
  return atMs === null ? null : Math.round(atMs);
}

/** A server's history from a moment on, the oldest row first. */
export async function* readHistory(
  db: Database,
  serverId: string,
  fromMs: number,
): AsyncGenerator<HistoryRow> {
  // Half a millisecond: what a float makes of a moment may lie a little behind it.
  let after = sql`checked_at >= to_timestamp(${fromMs - 0.5}::float8 / 1000)`;
  for (;;) {
    const rows = await db.execute<HistoryRow & { id: string; checkedAt: string }>(sql`
      SELECT id, checked_at::text AS "checkedAt", (extract(epoch FROM checked_at) * 1000)::float8 AS "atMs",
        error_message AS message, metrics->'custom' AS custom
      FROM mcp_server_health_check WHERE server_id = ${serverId} AND ${after}
      ORDER BY checked_at, id LIMIT ${PAGE}`);
    for (const { atMs, message, custom } of rows) yield { atMs: Math.round(atMs), message, custom };
    const last = rows[rows.length - 1];
    if (!last || rows.length < PAGE) return;
    after = sql`(checked_at, id) > (${last.checkedAt}::timestamptz, ${last.id}::uuid)`;
  }
}

/** The health alerts of a server that were raised, or still fired, since then. */
export async function readRaisedAlerts(
  db: Database,
  serverId: string,
  sinceMs: number,
): Promise<AlertSpan[]> {
  const rows = await db.execute<AlertSpan & Record<string, unknown>>(sql`
    SELECT kind, title, (extract(epoch FROM started_at) * 1000)::float8 AS "startedMs",
      (extract(epoch FROM resolved_at) * 1000)::float8 AS "resolvedMs"
    FROM vitals.alert
    WHERE server_id = ${serverId} AND kind IN (SELECT jsonb_array_elements_text(${JSON.stringify(HEALTH_ALERTS)}::jsonb))
      AND (resolved_at IS NULL OR resolved_at >= to_timestamp(${sinceMs}::float8 / 1000))
    ORDER BY started_at, kind`);
  return rows.map(({ kind, title, startedMs, resolvedMs }) => ({
    kind,
    title,
    startedMs: Math.round(startedMs),
    resolvedMs: resolvedMs === null ? null : Math.round(resolvedMs),
  }));
}
