import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { readCertificateExpiries, storeCertificates } from '../../../src/db/queries/certificates.ts';
import { createProbeStore } from '../../../src/db/queries/store.ts';
import { createMetrics } from '../../../src/metrics/create-metrics.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { outcomeOf } from '../../support/outcomes.ts';
import { registerServer } from '../../support/registry.ts';
import { registerAll, storeOutcome } from '../../support/store-probes.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 10);
let database: TestDatabase;
let connection: DatabaseConnection;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url, { poolSize: 2 });
  for (const id of ['a', 'b']) await registerServer(connection.db, { id, endpointUrl: 'https://h/' });
});
afterAll(async () => {
  await connection.close();
  await database.close();
});

const show = (days: Record<string, number | null>, nowMs = NOW) =>
  storeCertificates(
    connection.db,
    Object.entries(days).map(([serverId, left]) => ({
      serverId,
      name: serverId,
      tenantId: null,
      certificate:
        left === null ? null : { issuer: 'I\u0000\ud800', subject: null, validToMs: NOW + left * DAY },
    })),
    nowMs,
  );
const events = async () =>
  (
    await connection.db.execute<{ text: string }>(sql`
      SELECT resource_id || ' ' || severity || ' ' || status AS text FROM system_event
      WHERE type = 'certificate_expiring' ORDER BY occurred_at, title, data::text, status`)
  ).map(({ text }) => text);

test('a warning event comes 21 and 7 days ahead, once each, and ends with a new certificate', async () => {
  await show({ a: 30, b: null });
  expect(await events()).toEqual([]);
  await show({ a: 30 }, NOW + 10 * DAY);
  await show({ a: 30 }, NOW + 11 * DAY);
  expect(await events()).toEqual(['a warning active']);
  await show({ a: 30 }, NOW + 24 * DAY);
  expect(await events()).toEqual(['a warning active', 'a warning active']);
  await show({ a: 300 }, NOW + 25 * DAY);
  expect(await events()).toEqual(['a warning resolved', 'a warning resolved']);
});

test('the last certificate is kept, and one that was not shown changes nothing', async () => {
  await show({ a: null, b: 100 });
  expect(await readCertificateExpiries(connection.db)).toEqual([
    { serverId: 'a', name: 'a', expiresMs: NOW + 300 * DAY },
    { serverId: 'b', name: 'b', expiresMs: NOW + 100 * DAY },
  ]);
  await show({ b: 1e9 });
  expect((await readCertificateExpiries(connection.db))[1]?.expiresMs).toBe(NOW + 100 * DAY);
});

test('a probe that saw one of six days: the days are in the history, the day in the metric, both warnings are events', async () => {
  await registerAll(connection.db, [{ id: 'soon', endpointUrl: 'https://h/' }]);
  const expiresMs = Date.now() + 6.5 * DAY;
  const certificate = { issuer: 'I', subject: 'soon.test', validToMs: expiresMs };
  await storeOutcome(connection.db, createProbeStore(connection.db), 'soon', outcomeOf({ certificate }));

  const [check] = await connection.db.execute<{ certificate: unknown }>(sql`
    SELECT metrics->'custom'->'certificate' AS certificate FROM mcp_server_health_check WHERE server_id = 'soon'`);
  expect(check?.certificate).toEqual({ issuer: 'I', subject: 'soon.test', daysLeft: 6 });

  const metrics = createMetrics({ version: '0' });
  metrics.setCertificateExpiries(await readCertificateExpiries(connection.db));
  const [, shown] =
    /^mcp_server_certificate_expiry_timestamp_seconds\{[^}]*server_id="soon"[^}]*\} (\S+)$/m.exec(
      await metrics.render(),
    ) ?? [];
  expect(Number(shown)).toBeCloseTo(expiresMs / 1000, 0);

  const warnings = await connection.db.execute<{ days: number }>(sql`
    SELECT (data->>'daysLeft')::int AS days FROM system_event
    WHERE type = 'certificate_expiring' AND resource_id = 'soon' AND severity = 'warning' AND status = 'active'`);
  expect(warnings.map(({ days }) => days)).toEqual([6, 6]);
});
