import { type SQL, sql } from 'drizzle-orm';
import { alertKey } from '../../core/alerts/alert.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';
import type { Tx } from './store-statements.ts';

/** After a cut of ours nobody is asked all at once. */
const SPREAD_MS = 30_000;
const SHORT_SPREAD_MS = 5_000;

/** One alert says that a replica is cut off. */
export async function recordOffline(db: Database, replica: string, because: string): Promise<void> {
  const key = alertKey('monitor_offline', replica);
  await db.transaction(async (tx) => {
    await recordAlertChanges(tx, [
      {
        action: 'fire',
        kind: 'monitor_offline',
        key,
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
      WHERE key = ${key} AND resolved_at IS NULL`);
  });
}

/** The replica is back. */
export async function recordOnline(db: Database, replica: string): Promise<void> {
  await db.transaction((tx) =>
    recordAlertChanges(tx, [
      { action: 'resolve', key: alertKey('monitor_offline', replica), atMs: Date.now() },
    ]),
  );
}

/** Servers whose failures were believed of a replica that is cut off are looked at again within five seconds. */
export async function askBelievedAgain(db: Database, believed: readonly string[]): Promise<void> {
  if (believed.length === 0) return;
  await askAgain(
    db,
    sql`server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(believed)}::jsonb))
      AND own->>'reason' IS DISTINCT FROM 'monitor_offline'`,
    SHORT_SPREAD_MS,
  );
}

/** Servers that could not be seen are looked at, spread over half a minute. */
export async function askUnseenAgain(db: Database): Promise<void> {
  await askAgain(db, sql`own->>'reason' = 'monitor_offline'`, SPREAD_MS);
}

/** Who is being stored at this moment is left for the next call: nobody waits for anybody here. */
async function askAgain(db: Database, whom: SQL, spreadMs: number): Promise<void> {
  const spread = sql`${spreadMs} * interval '1 millisecond'`;
  await db.execute(sql`
    UPDATE vitals.server_state SET next_probe_at = now() + random() * ${spread}
    WHERE server_id IN (
      SELECT server_id FROM vitals.server_state WHERE ${whom} AND next_probe_at > now() + ${spread}
      ORDER BY server_id FOR NO KEY UPDATE SKIP LOCKED)`);
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
