import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AlertsConfig } from '../../../src/core/alerts/alerts-config.ts';
import type { Message } from '../../../src/core/alerts/compose-message.ts';
import type { Suppression } from '../../../src/core/alerts/reason-to-hold.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { recordAlertChanges } from '../../../src/db/queries/alerts.ts';
import { claimDeliveries } from '../../../src/db/queries/deliveries.ts';
import { endUnwatchedAlerts } from '../../../src/db/queries/unwatched.ts';
import { delivery, outbox, systemEvent, told } from '../../../src/db/schema/index.ts';
import { fire, resolve } from '../../support/alert-changes.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { alertsTo, createNotifier, webhookTo } from '../../support/notifying.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { registerServer } from '../../support/registry.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let receiver: Receiver;
let alerts: AlertsConfig;

beforeEach(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  receiver = await startReceiver();
  alerts = alertsTo({ ops: webhookTo(`${receiver.url}/ops`) });
  for (const id of ['a', 'b', 'c']) await registerServer(connection.db, { id });
});
afterEach(async () => {
  await receiver.close();
  await connection.close();
  await database.close();
});

const record = (...changes: Parameters<typeof recordAlertChanges>[1]) =>
  recordAlertChanges(connection.db, changes);
const said = (path = '/ops') =>
  receiver.log
    .filter((request) => request.path === path)
    .flatMap(({ body }) => (JSON.parse(body) as Message).alerts.map(({ change, key }) => `${change} ${key}`));
/** The pauses between attempts and looks have passed. */
const skipPauses = () =>
  connection.db.execute(sql`
    WITH d AS (UPDATE vitals.delivery SET next_attempt_at = now() WHERE sent_at IS NULL),
      j AS (UPDATE vitals.job_run SET data = '{}' WHERE job = 'notify')
    SELECT 1`);

describe('delivery', () => {
  test('two replicas at once tell each thing once', async () => {
    const others = connectDatabase(database.url);
    const replicas = [createNotifier(connection.db, () => alerts), createNotifier(others.db, () => alerts)];
    for (let round = 0; round < 10; round += 1) {
      await record(fire('a'), fire('b'), fire('c'));
      await Promise.all(replicas.map((replica) => replica.tick()));
      await record(resolve('a'), resolve('b'), resolve('c'));
      await Promise.all(replicas.map((replica) => replica.tick()));
    }
    for (const replica of replicas) await replica.tick();
    await Promise.all(replicas.map((replica) => replica.settle()));
    const keys = receiver.log.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(keys.length);
    for (const id of ['a', 'b', 'c']) {
      // Each outage that was seen at all has a beginning and an end, in this order.
      const own = said()
        .filter((line) => line.endsWith(`:${id}`))
        .map((line) => line.split(' ')[0]);
      expect(own.join(' ')).toMatch(/^(fire resolve ?)+$/);
    }
    await others.close();
  });

  test('what is refused is tried again with the same key and body, in order, and no end overtakes', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    receiver.answer = (_, response) => void response.writeHead(503).end();
    await record(fire('a'));
    await notifier.tick();
    // However slow the machine is, its pause is not over yet.
    await connection.db.execute(
      sql`UPDATE vitals.delivery SET next_attempt_at = next_attempt_at + interval '1 hour' WHERE sent_at IS NULL`,
    );
    await record(resolve('a'));
    await notifier.tick();
    await skipPauses();
    await notifier.tick();
    expect(said()).toEqual(['fire server_down:a', 'fire server_down:a']);
    expect(
      new Set(receiver.log.map(({ headers, body }) => `${headers['idempotency-key']} ${body}`)).size,
    ).toBe(1);
    receiver.answer = (_, response) => void response.end();
    await skipPauses();
    await notifier.tick();
    expect(said().slice(2)).toEqual(['fire server_down:a', 'resolve server_down:a']);
    expect(notifier.results.map(({ result }) => result)).toEqual([
      'refused',
      'refused',
      'accepted',
      'accepted',
    ]);
    const rows = await connection.db.select().from(delivery).orderBy(delivery.seq);
    expect(rows.map(({ attempts, lastError, sentAt }) => [attempts, lastError, sentAt !== null])).toEqual([
      [3, null, true],
      [1, null, true],
    ]);
  });

  test('Retry-After is heeded', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    receiver.answer = (_, response) => void response.writeHead(429, { 'retry-after': '600' }).end();
    await record(fire('a'));
    await notifier.tick();
    const [row] = await connection.db.execute<{ seconds: number }>(sql`
      SELECT extract(epoch FROM next_attempt_at - now())::float8 AS seconds FROM vitals.delivery`);
    expect(row?.seconds).toBeGreaterThan(590);
    expect(row?.seconds).toBeLessThanOrEqual(600);
  });

  test('a channel that refuses for good is given up soon: an event says so until it takes something', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    receiver.answer = (_, response) => void response.writeHead(404).end('no such hook');
    await record(fire('a'), fire('b'));
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await notifier.tick();
      await skipPauses();
    }
    expect(notifier.results.filter(({ result }) => result === 'given_up')).toHaveLength(2);
    const failures = () => connection.db.select().from(systemEvent).where(sql`type = 'notification_failed'`);
    expect(await failures()).toMatchObject([{ resourceId: 'ops', status: 'active', severity: 'error' }]);
    // It knows nothing of the beginning, so it is not told of the end.
    receiver.answer = (_, response) => void response.end();
    receiver.log.length = 0;
    await record(resolve('a'));
    await skipPauses();
    await notifier.tick();
    expect(said()).toEqual([]);
    // What still fires is told when the repeat interval is over.
    await connection.db.update(told).set({ lastAt: new Date(Date.now() - alerts.fallback.repeatIntervalMs) });
    await skipPauses();
    await notifier.tick();
    expect(said()).toEqual(['fire server_down:b']);
    expect(await failures()).toMatchObject([{ status: 'resolved' }]);
  });

  test('an end that waits behind a beginning that was given up is not told', async () => {
    alerts = alertsTo({ ops: webhookTo(`${receiver.url}/ops`) }, { groupBy: 'all' });
    const notifier = createNotifier(connection.db, () => alerts);
    receiver.answer = (_, response) => void response.writeHead(404).end();
    await record(fire('a'));
    await notifier.tick();
    await record(resolve('a'), fire('b'));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await skipPauses();
      await notifier.tick();
    }
    receiver.answer = (_, response) => void response.end();
    await skipPauses();
    await notifier.tick();
    expect(said().filter((line) => line.startsWith('resolve'))).toEqual([]);
    expect(said().at(-1)).toBe('fire server_down:b');
  });

  test('a slow channel keeps nobody waiting but itself', async () => {
    alerts = alertsTo({ slow: webhookTo(`${receiver.url}/slow`), ops: webhookTo(`${receiver.url}/ops`) });
    const notifier = createNotifier(connection.db, () => alerts);
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    receiver.answer = async ({ path }, response) => {
      if (path === '/slow') await held;
      response.end();
    };
    await record(fire('a'));
    await notifier.plan();
    await receiver.until('the quick one', () => (said('/ops').length === 1 ? true : undefined));
    await record(fire('b'));
    await notifier.plan();
    await receiver.until('the quick one again', () => (said('/ops').length === 2 ? true : undefined));
    release();
    await notifier.settle();
    expect(said('/slow').sort()).toEqual(['fire server_down:a', 'fire server_down:b']);
  });

  test('an attempt takes no longer than the channel’s time', async () => {
    alerts = alertsTo({ ops: webhookTo(`${receiver.url}/ops`, { timeoutMs: 100 }) });
    receiver.answer = (_, response) => new Promise((done) => response.once('close', done));
    const notifier = createNotifier(connection.db, () => alerts);
    await record(fire('a'));
    await notifier.tick();
    expect(notifier.results).toMatchObject([{ result: 'refused', words: 'no answer within 100 ms' }]);
  });

  test('at the daemon’s end an attempt is cut short, and the next one begins at once with the same key', async () => {
    const cut = new AbortController();
    receiver.answer = (_, response) => {
      cut.abort();
      return new Promise((done) => response.once('close', done));
    };
    await record(fire('a'));
    await createNotifier(connection.db, () => alerts, {
      signal: cut.signal,
      takesMore: () => !cut.signal.aborted,
    }).tick();
    receiver.answer = (_, response) => void response.end();
    await createNotifier(connection.db, () => alerts).tick();
    const keys = receiver.log.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  test('no more than four messages of a channel are in flight, over all replicas', async () => {
    for (let index = 0; index < 10; index += 1) await registerServer(connection.db, { id: `s${index}` });
    await record(...Array.from({ length: 10 }, (_, index) => fire(`s${index}`)));
    const notifier = createNotifier(connection.db, () => alerts, {
      deliverQueue: { addBulk: async () => [] },
    });
    await notifier.plan();
    const claim = { channel: 'ops', atOnce: 4, leaseMs: 60_000 };
    expect(await claimDeliveries(connection.db, claim)).toHaveLength(4);
    expect(await claimDeliveries(connection.db, claim)).toHaveLength(0);
  });
});

describe('planning', () => {
  test('what is held says why, and goes out when it may', async () => {
    const suppressions = new Map<string, Suppression>([['a', { because: 'maintenance', by: 'w' }]]);
    const notifier = createNotifier(connection.db, () => alerts, {
      readSuppressions: async () => suppressions,
    });
    await record(fire('a'));
    await notifier.tick();
    expect(await connection.db.select().from(outbox)).toMatchObject([
      { doneAt: null, heldBecause: 'maintenance' },
    ]);
    suppressions.clear();
    await skipPauses();
    await notifier.tick();
    expect(said()).toEqual(['fire server_down:a']);
    expect(await connection.db.select().from(outbox)).toMatchObject([{ heldBecause: null }]);
  });

  test('a plan that cannot be stored is made again: nothing is lost', async () => {
    let fails = true;
    const notifier = createNotifier(connection.db, () => alerts, {
      async detectIncidents() {
        if (fails) throw new Error('not now');
      },
    });
    await record(fire('a'));
    await expect(notifier.tick()).rejects.toThrow('not now');
    fails = false;
    await notifier.tick();
    expect(said()).toEqual(['fire server_down:a']);
  });

  test('an alert of a server that was removed leaves nothing waiting', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    await record(fire('a'));
    await connection.db.execute(sql`DELETE FROM mcp_server WHERE id = 'a'`);
    await notifier.tick();
    expect(said()).toEqual([]);
    await endUnwatchedAlerts(connection.db);
    await notifier.tick();
    expect(said()).toEqual([]);
    const waiting = (await connection.db.select().from(outbox)).filter(({ doneAt }) => doneAt === null);
    expect(waiting).toEqual([]);
    expect(await connection.db.select().from(systemEvent)).toMatchObject([{ status: 'resolved' }]);
  });

  test('an alert that was told of is told to be over when its server is removed', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    await record(fire('a'));
    await notifier.tick();
    await connection.db.execute(sql`DELETE FROM mcp_server WHERE id = 'a'`);
    await endUnwatchedAlerts(connection.db);
    await notifier.tick();
    expect(said()).toEqual(['fire server_down:a', 'resolve server_down:a']);
    expect(await connection.db.select().from(systemEvent)).toMatchObject([{ status: 'resolved' }]);
  });

  test('a gateway’s column that is no list becomes one', async () => {
    const notifier = createNotifier(connection.db, () => alerts);
    await record(fire('a'));
    await connection.db.execute(sql`UPDATE system_event SET notification_channels = '"nonsense"'`);
    await notifier.tick();
    expect(await connection.db.select().from(systemEvent)).toMatchObject([
      { notificationSent: true, notificationChannels: ['ops'] },
    ]);
  });
});
