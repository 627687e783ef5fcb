import { sql } from 'drizzle-orm';
import type { ShareToAsk } from '../../core/incidents/whom-to-ask.ts';
import { MAY_BE_SCHEDULED, SHARED_PARTS } from './fragments.ts';
import type { Tx } from './store-statements.ts';

/** One whose next probe may be brought forward: not one under way, that asked for patience, or that is to sleep. */
const MAY_BE_WOKEN = sql`(${MAY_BE_SCHEDULED} AND s.next_probe_at > now() + interval '1 second'
  AND (s.lease_until IS NULL OR s.lease_until < now()) AND (s.running_until IS NULL OR s.running_until < now())
  AND s.reason IS DISTINCT FROM 'rate_limited'
  AND m.settings #>> '{monitor,budget,doNotWake}' IS DISTINCT FROM 'true')`;

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

/** Has some healthy servers that share something with failing ones probed at once, those first that were probed longest ago. */
export async function wakeSharing(tx: Tx, shares: readonly ShareToAsk[]): Promise<void> {
  if (shares.length === 0) return;
  await tx.execute(sql`
    WITH near AS MATERIALIZED (
      SELECT found.server_id FROM (
        SELECT s.server_id, r.ask, row_number() OVER (PARTITION BY p.part, p.value ORDER BY s.last_probe_at) AS place
        FROM vitals.server_state s
        JOIN mcp_server m ON m.id = s.server_id
        CROSS JOIN LATERAL ${SHARED_PARTS}
        JOIN jsonb_to_recordset(${JSON.stringify(shares)}::jsonb) AS r(part text, value text, ask int)
          ON (r.part, r.value) = (p.part, p.value)
        WHERE s.failing_since IS NULL AND s.last_probe_at < now() - interval '10 seconds' AND ${MAY_BE_WOKEN}
      ) found WHERE found.place <= found.ask
    ), picked AS MATERIALIZED (
      SELECT s.server_id FROM vitals.server_state s JOIN mcp_server m ON m.id = s.server_id
      WHERE s.server_id IN (SELECT server_id FROM near) AND s.failing_since IS NULL AND ${MAY_BE_WOKEN}
      ORDER BY s.server_id FOR NO KEY UPDATE OF s SKIP LOCKED
    )
    UPDATE vitals.server_state s SET next_probe_at = now() FROM picked WHERE s.server_id = picked.server_id`);
}
