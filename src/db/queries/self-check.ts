import { sql } from 'drizzle-orm';
import { alertKey } from '../../core/alerts/alert.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import type { Tx } from './store-statements.ts';

/** After a cut of ours nobody is asked all at once. */
const SPREAD_MS = 30_000;

/** One alert says that a replica is cut off; servers whose failures it had believed are looked at again. */
export async function recordOffline(
  db: Database,
  replica: string,
  because: string,
  believed: readonly string[],
): Promise<void> {
  await db.transaction(async (tx) => {
    await recordAlertChanges(tx, [
      {
        action: 'fire',
        kind: 'monitor_offline',
        key: alertKey('monitor_offline', replica),
        severity: 'critical',
        serverId: null,
        tenantId: null,
        title: `the worker ${replica} is cut off: ${because}`,
        description: 'What it sees says nothing about servers; their verdicts are unknown until it is back.',
        data: { replica, because },
        atMs: Date.now(),
      },
    ]);
    await tx.execute(sql`
      UPDATE vitals.alert SET data = data || jsonb_build_object('seenMs', extract(epoch FROM now()) * 1000)
      WHERE key = ${alertKey('monitor_offline', replica)} AND resolved_at IS NULL`);
    await tx.execute(sql`
      UPDATE vitals.server_state SET next_probe_at = now() + random() * interval '5 seconds'
      WHERE server_id IN (
        SELECT server_id FROM vitals.server_state
        WHERE server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(believed)}::jsonb))
          AND next_probe_at > now() + interval '5 seconds'
        ORDER BY server_id FOR NO KEY UPDATE SKIP LOCKED)`);
  });
}

/** The replica is back: what it could not see is looked at soon, spread over half a minute. */
export async function recordOnline(db: Database, replica: string): Promise<void> {
  await db.transaction(async (tx) => {
    await recordAlertChanges(tx, [
      { action: 'resolve', key: alertKey('monitor_offline', replica), atMs: Date.now() },
    ]);
    await tx.execute(sql`
      UPDATE vitals.server_state SET next_probe_at = now() + random() * ${SPREAD_MS} * interval '1 millisecond'
      WHERE server_id IN (
        SELECT server_id FROM vitals.server_state
        WHERE own->>'reason' = 'monitor_offline' AND next_probe_at > now() + ${SPREAD_MS} * interval '1 millisecond'
        ORDER BY server_id FOR NO KEY UPDATE SKIP LOCKED)`);
  });
}

/** A replica that is offline says so each minute: one that has not said so for three is gone. */
const GONE_AFTER_MS = 180_000;

/** Ends the alerts of replicas that went offline and never came back: somebody else sees, now. */
export async function resolveGoneReplicas(tx: Tx, nowMs: number): Promise<void> {
  const rows = await tx.execute<{ key: string }>(sql`
    SELECT key FROM vitals.alert
    WHERE kind = 'monitor_offline' AND resolved_at IS NULL
      AND coalesce((data->>'seenMs')::float8, extract(epoch FROM started_at) * 1000) < ${nowMs - GONE_AFTER_MS}`);
  if (rows.length === 0) return;
  await recordAlertChanges(
    tx,
    rows.map(({ key }) => ({ action: 'resolve' as const, key, atMs: nowMs })),
  );
}
