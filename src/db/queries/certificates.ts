import { sql } from 'drizzle-orm';
import { expiryAlerts } from '../../core/certificates/expiry-alerts.ts';
import { cleanText } from '../../core/inventory.ts';
import type { ServerCertificate } from '../../core/outcome.ts';
import type { Database } from '../client.ts';
import { recordAlertChanges } from './alerts.ts';

interface ShownCertificate {
  serverId: string;
  name: string;
  tenantId: string | null;
  certificate: ServerCertificate | null;
}

const cleanName = (text: string | null) => (text === null ? null : cleanText(text));
/** The largest time that JavaScript and PostgreSQL both have. */
const MAX_TIME_MS = 8.64e15;

/** Keeps what certificates were shown, and warns of those that are about to expire; in the caller's transaction. */
export async function storeCertificates(
  tx: Pick<Database, 'execute'>,
  shown: readonly ShownCertificate[],
  nowMs = Date.now(),
): Promise<void> {
  const seen = shown.flatMap(({ certificate, ...server }) =>
    certificate && certificate.validToMs !== null && Math.abs(certificate.validToMs) < MAX_TIME_MS
      ? [{ ...server, certificate, expiresMs: certificate.validToMs }]
      : [],
  );
  if (seen.length === 0) return;
  const rows = JSON.stringify(
    seen.map(({ serverId, expiresMs, certificate }) => ({
      serverId,
      expiresMs,
      issuer: cleanName(certificate.issuer),
      subject: cleanName(certificate.subject),
    })),
  );
  // What stood there before is read by the same statement that replaces it: both see one snapshot.
  const before = await tx.execute<{ serverId: string; expiresMs: number }>(sql`
    WITH r AS (
      SELECT * FROM jsonb_to_recordset(${rows}::jsonb) AS r("serverId" text, "expiresMs" float8, issuer text, subject text)
    ), changed AS (
      INSERT INTO vitals.server_certificate AS c (server_id, issuer, subject, expires_at, seen_at)
      SELECT "serverId", issuer, subject, to_timestamp("expiresMs" / 1000), now() FROM r ORDER BY "serverId"
      ON CONFLICT (server_id) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject,
        expires_at = excluded.expires_at, seen_at = excluded.seen_at
      WHERE c.expires_at <> excluded.expires_at OR c.issuer IS DISTINCT FROM excluded.issuer
        OR c.subject IS DISTINCT FROM excluded.subject
    )
    SELECT c.server_id AS "serverId", (extract(epoch FROM c.expires_at) * 1000)::float8 AS "expiresMs"
    FROM vitals.server_certificate c JOIN r ON r."serverId" = c.server_id`);
  const previous = new Map(before.map((row) => [row.serverId, row.expiresMs]));
  const changes = seen.flatMap((server) =>
    expiryAlerts({ ...server, previousExpiryMs: previous.get(server.serverId) ?? null }, nowMs),
  );
  if (changes.length > 0) await recordAlertChanges(tx, changes);
}

/** When the certificate of each server expires, in milliseconds since 1970. */
export async function readCertificateExpiries(
  db: Database,
): Promise<{ serverId: string; name: string; expiresMs: number }[]> {
  return await db.execute<{ serverId: string; name: string; expiresMs: number }>(sql`
    SELECT c.server_id AS "serverId", m.name, (extract(epoch FROM c.expires_at) * 1000)::float8 AS "expiresMs"
    FROM vitals.server_certificate c JOIN mcp_server m ON m.id = c.server_id ORDER BY c.server_id`);
}
