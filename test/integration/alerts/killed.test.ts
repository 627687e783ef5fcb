import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../../src/core/alerts/compose-message.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import { recordAlertChanges } from '../../../src/db/queries/alerts.ts';
import { fire, resolve } from '../../support/alert-changes.ts';
import { eventually } from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { registerServer } from '../../support/registry.ts';

const KILLS = 12;
const SERVERS = Array.from({ length: 6 }, (_, index) => `s${index}`);
const loader = new URL('../../support/typescript-loader.mjs', import.meta.url).href;
const program = fileURLToPath(new URL('../../fixtures/notifying-child.ts', import.meta.url));

let database: TestDatabase;
let connection: DatabaseConnection;
let receiver: Receiver;
let child: ChildProcess | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
  receiver = await startReceiver();
  for (const id of SERVERS) await registerServer(connection.db, { id });
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await receiver.close();
  await connection.close();
  await database.close();
});

async function startChild(): Promise<ChildProcess> {
  const started = spawn(process.execPath, ['--import', loader, program, database.url, receiver.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  await once(started.stdout, 'data');
  return started;
}

/** Nothing is left to be planned or sent, or nobody is left to do it. */
const untilAllIsTold = (isEnded: () => boolean) =>
  eventually('everything told', async () => {
    await connection.db.execute(
      sql`UPDATE vitals.delivery SET next_attempt_at = now() WHERE sent_at IS NULL`,
    );
    const [row] = await connection.db.execute<{ left: number }>(sql`
      SELECT ((SELECT count(*) FROM vitals.outbox WHERE done_at IS NULL)
        + (SELECT count(*) FROM vitals.delivery WHERE sent_at IS NULL))::int AS left`);
    return isEnded() || row?.left === 0 ? true : undefined;
  });

/** Where in a delivery a kill falls: the request has come, the answer has gone, or some moments after. */
const MOMENTS = ['before the answer', 'with the answer', 'after the answer'] as const;

test('killed at any point of a delivery: each transition is told once to whoever looks at the key', async () => {
  // What is random is how many messages go well between two kills; a seed makes a failure come again.
  let seed = 20_260_102;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const transitions: string[] = [];
  let kills = 0;

  for (let round = 0; round < KILLS; round += 1) {
    const victim = await startChild();
    const ended = once(victim, 'close');
    const moment = MOMENTS[round % MOMENTS.length];
    let left = random(4);
    receiver.answer = async (_, response) => {
      left -= 1;
      if (left >= 0) return void response.end('ok');
      if (moment === 'before the answer') victim.kill('SIGKILL');
      response.end('ok');
      if (moment === 'with the answer') victim.kill('SIGKILL');
      // The note of the acceptance is on its way: somewhere in it.
      if (moment === 'after the answer') setTimeout(() => victim.kill('SIGKILL'), random(15));
    };
    const change = round % 2 === 0 ? fire : resolve;
    for (const id of SERVERS) {
      await recordAlertChanges(connection.db, [change(id)]);
      transitions.push(`${round % 2 === 0 ? 'fire' : 'resolve'} ${id}`);
    }
    // Where fewer messages came than were to go well, it is killed with nothing left to do.
    const idle = untilAllIsTold(() => victim.exitCode !== null || victim.signalCode !== null);
    await Promise.race([ended, idle.then(() => victim.kill('SIGKILL'))]);
    const [, signal] = await ended;
    await idle;
    if (signal === 'SIGKILL') kills += 1;
    // The leases that the dead one held run out.
    await connection.db.execute(
      sql`UPDATE vitals.delivery SET lease_until = NULL WHERE lease_until IS NOT NULL`,
    );
  }
  expect(kills).toBe(KILLS);

  receiver.answer = (_, response) => void response.end('ok');
  await startChild();
  await untilAllIsTold(() => false);

  for (const path of ['/', '/chat']) {
    const bodies = new Map<string, string>();
    for (const { path: to, headers, body } of receiver.log) {
      if (to !== path) continue;
      const key = String(headers['idempotency-key']);
      // A message that comes again says the same.
      expect(bodies.get(key) ?? body).toBe(body);
      bodies.set(key, body);
    }
    const news = [...bodies.values()].flatMap((body) => (JSON.parse(body) as Message).alerts);
    const told = news.map(({ id, change }) => `${change} ${id}`);
    expect(new Set(told).size).toBe(told.length);
    // Per alert its beginning, then its end; what was over before anybody was told is in neither.
    for (const id of new Set(news.map((alert) => alert.id)))
      expect(news.filter((alert) => alert.id === id).map(({ change }) => change)).toEqual([
        'fire',
        'resolve',
      ]);
    const [counts] = await connection.db.execute<{ alerts: number }>(sql`
      SELECT count(DISTINCT alert_id)::int AS alerts FROM vitals.told WHERE channel = ${path === '/' ? 'ops' : 'chat'}`);
    expect(counts?.alerts).toBe(new Set(news.map((alert) => alert.id)).size);
  }
  const [unheard] = await connection.db.execute<{ count: number; total: number }>(sql`
    SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM vitals.told t WHERE t.alert_id = a.id)
        AND NOT EXISTS (SELECT 1 FROM vitals.outbox o WHERE o.alert_id = a.id AND o.held_because = 'over_before_told'))::int
      AS count, count(*)::int AS total
    FROM vitals.alert a`);
  expect(unheard).toEqual({ count: 0, total: transitions.length / 2 });
  const [noted] = await connection.db.execute<{ count: number }>(sql`
    SELECT count(*)::int AS count FROM vitals.told t JOIN vitals.alert a ON a.id = t.alert_id
    JOIN system_event e ON e.id = a.event_id
    WHERE NOT e.notification_sent OR NOT e.notification_channels::jsonb @> to_jsonb(t.channel)`);
  expect(noted?.count).toBe(0);
}, 180_000);
