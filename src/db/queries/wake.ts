import { sql } from 'drizzle-orm';
import { MAY_BE_SCHEDULED } from './fragments.ts';
import type { Tx } from './store-statements.ts';

/** One whose next probe may be brought forward: not one under way, nor one that asked for patience. */
const MAY_BE_WOKEN = sql`(${MAY_BE_SCHEDULED} AND s.next_probe_at > now() + interval '1 second'
  AND (s.lease_until IS NULL OR s.lease_until < now()) AND (s.running_until IS NULL OR s.running_until < now())
  AND s.reason IS DISTINCT FROM 'rate_limited')`;

/** Of the given servers those that have just failed for the first time. */
const justFailed = (serverIds: readonly string[]) => sql`
  SELECT server_id, host_key FROM vitals.server_state
  WHERE failures = 1 AND server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb))`;

/**
 * Has what servers that have begun to fail require probed at once, so that a cause is known before they are
 * told of themselves; one that was probed in the last ten seconds as soon as those are over.
 */
export async function wakeRequired(tx: Tx, serverIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    UPDATE vitals.server_state
    SET next_probe_at = least(next_probe_at, greatest(now(), last_probe_at + interval '10 seconds'))
    WHERE server_id IN (
      SELECT s.server_id FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE s.server_id IN (
          SELECT d.depends_on_server_id FROM mcp_server_dependency d
          JOIN vitals.server_state f ON f.server_id = d.server_id
          WHERE f.failures BETWEEN 1 AND 3 AND d.dependency_type IN ('required', 'fallback')
            AND d.server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(serverIds)}::jsonb)))
        AND s.failing_since IS NULL AND s.last_probe_at IS NOT NULL AND ${MAY_BE_WOKEN}
      ORDER BY s.server_id LIMIT 100 FOR NO KEY UPDATE OF s SKIP LOCKED)`);
}

/**
 * Has some healthy servers on the hosts of those that have just begun to fail probed at once, so that it
 * shows soon whether they fail, too. Returns the hosts; those in `notAgain` are left alone.
 */
export async function wakeSiblings(
  tx: Tx,
  serverIds: readonly string[],
  notAgain: readonly string[],
): Promise<string[]> {
  const rows = await tx.execute<{ hostKey: string }>(sql`
    WITH hosts AS MATERIALIZED (
      SELECT DISTINCT host_key FROM (${justFailed(serverIds)}) f
      WHERE host_key NOT IN ('', 'stdio') AND host_key NOT LIKE '% %'
        AND host_key NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(notAgain)}::jsonb))
    ), siblings AS MATERIALIZED (
      SELECT picked.server_id FROM hosts h, LATERAL (
        SELECT s.server_id FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
        WHERE s.host_key = h.host_key AND s.failing_since IS NULL
          AND s.last_probe_at < now() - interval '10 seconds' AND ${MAY_BE_WOKEN}
        ORDER BY s.last_probe_at LIMIT 10 FOR NO KEY UPDATE OF s SKIP LOCKED) picked
    ), woken AS (
      UPDATE vitals.server_state s SET next_probe_at = now() FROM siblings w WHERE s.server_id = w.server_id
    )
    SELECT host_key AS "hostKey" FROM hosts`);
  return rows.map(({ hostKey }) => hostKey);
}
