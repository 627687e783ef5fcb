import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AroundResult, createAround } from '../../../jobs/around.ts';
import { DEFAULT_POLICY, type Policy } from '../../../src/core/policy.ts';
import { connectDatabase, type DatabaseConnection } from '../../../src/db/client.ts';
import type { BadWindow } from '../../../src/db/queries/maintenance.ts';
import {
  endWindow,
  findUnknownServices,
  insertWindow,
  listWindows,
} from '../../../src/db/queries/maintenance-commands.ts';
import {
  askBelievedAgain,
  askUnseenAgain,
  recordOffline,
  recordOnline,
} from '../../../src/db/queries/self-check.ts';
import { showAround } from '../../../src/db/queries/show-around.ts';
import { createProbeStore, type ProbeStore } from '../../../src/db/queries/store.ts';
import { readSuppressions, refreshShown } from '../../../src/db/queries/surroundings.ts';
import {
  alert,
  maintenanceWindow,
  mcpServer,
  mcpServerDependency,
  mcpServerHealthCheck,
  serverState,
  systemEvent,
} from '../../../src/db/schema/index.ts';
import { createTestDatabase } from '../../support/database.ts';
import { failedWith, outcomeOf, REFUSED } from '../../support/outcomes.ts';
import { registerAll, storeOutcome } from '../../support/store-probes.ts';

let connection: DatabaseConnection;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: ProbeStore;
let policy: Policy;
let bad: BadWindow[];
let tick: () => Promise<AroundResult>;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectDatabase(database.url);
});
afterAll(async () => {
  await connection.close();
  await database.close();
});
beforeEach(async () => {
  const { db } = connection;
  for (const table of ['mcp_server', 'system_event', 'maintenance_window', 'vitals.alert', 'vitals.outbox'])
    await db.execute(sql`DELETE FROM ${sql.raw(table)}`);
  policy = DEFAULT_POLICY;
  bad = [];
  store = createProbeStore(db, { policy: () => policy, refreshShown: showAround });
  const around = createAround({ db, policy: () => policy, onBadWindow: (window) => bad.push(window) });
  tick = () => around.run();
});

const well = (...ids: string[]) =>
  Promise.all(ids.map((id) => storeOutcome(connection.db, store, id, outcomeOf())));
const fail = (...ids: string[]) =>
  Promise.all(ids.map((id) => storeOutcome(connection.db, store, id, failedWith(REFUSED))));
/** Twice, so that it is confirmed. */
async function down(...ids: string[]): Promise<void> {
  await fail(...ids);
  await fail(...ids);
}
async function up(...ids: string[]): Promise<void> {
  await well(...ids);
  await well(...ids);
}

async function shown(id: string) {
  const [row] = await connection.db
    .select({
      verdict: serverState.verdict,
      reason: serverState.reason,
      message: serverState.message,
      becauseOf: serverState.becauseOf,
      since: serverState.verdictSince,
      status: mcpServer.status,
      health: mcpServer.healthStatus,
    })
    .from(serverState)
    .innerJoin(mcpServer, eq(mcpServer.id, serverState.serverId))
    .where(eq(serverState.serverId, id));
  if (!row) throw new Error(`no state of ${id}`);
  return row;
}

const needs = (
  serverId: string,
  dependsOnServerId: string,
  dependencyType: 'required' | 'optional' | 'fallback' = 'required',
) =>
  connection.db
    .insert(mcpServerDependency)
    .values({ serverId, dependsOnServerId, dependencyType, createdAt: new Date() });

const statusEvents = async (id: string) =>
  (
    await connection.db
      .select()
      .from(systemEvent)
      .where(eq(systemEvent.resourceId, id))
      .orderBy(systemEvent.occurredAt)
  )
    .filter(({ type }) => type === 'server.status_changed')
    .map(({ data }) => `${String(data?.before)} → ${String(data?.after)}`);

const MINUTE = 60_000;
async function addWindow(changes: Partial<typeof maintenanceWindow.$inferInsert> = {}): Promise<string> {
  const [row] = await connection.db
    .insert(maintenanceWindow)
    .values({
      title: 'upgrade',
      type: 'scheduled',
      impact: 'partial',
      affectedServices: ['a'],
      scheduledStart: new Date(Date.now() - MINUTE),
      scheduledEnd: new Date(Date.now() + MINUTE),
      createdBy: 'somebody',
      createdAt: new Date(Date.now() - 2 * MINUTE),
      updatedAt: new Date(),
      ...changes,
    })
    .returning();
  return row?.id ?? '';
}
const window = async (id: string) =>
  (await connection.db.select().from(maintenanceWindow).where(eq(maintenanceWindow.id, id)))[0];

describe('dependencies', () => {
  beforeEach(async () => {
    await registerAll(connection.db, [{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'x' }]);
    await up('a', 'b', 'c', 'x');
  });

  test('what requires a server that goes down is down because of it, in the same transaction, and back with it', async () => {
    await needs('b', 'a');
    await needs('c', 'b');
    await fail('a');
    expect(await shown('b')).toMatchObject({ verdict: 'up', status: 'active' });
    await fail('a');
    const because = {
      verdict: 'down',
      reason: 'dependency_down',
      message: 'down because of a',
      becauseOf: 'a',
    };
    expect(await shown('b')).toMatchObject({ ...because, status: 'error', health: 'unhealthy' });
    expect(await shown('c')).toMatchObject({ ...because, status: 'error' });
    expect(await shown('x')).toMatchObject({ verdict: 'up', becauseOf: null });
    expect(await readSuppressions(connection.db)).toEqual(
      new Map(['b', 'c'].map((id) => [id, { because: 'dependency', by: 'a' }])),
    );

    // Its own probes go on, and change neither what is shown nor since when.
    const before = await shown('b');
    await well('b');
    expect(await shown('b')).toEqual(before);

    await up('a');
    expect(await shown('b')).toMatchObject({
      verdict: 'up',
      reason: 'ok',
      becauseOf: null,
      status: 'active',
      health: 'healthy',
    });
    expect(await statusEvents('b')).toEqual(['inactive → active', 'active → error', 'error → active']);
    expect((await readSuppressions(connection.db)).size).toBe(0);
  });

  test('one that fails with what it requires names the cause at once', async () => {
    await needs('b', 'a');
    await fail('a');
    await fail('b');
    expect(await shown('b')).toMatchObject({ verdict: 'down', becauseOf: 'a' });
    expect((await shown('b')).message).toBe('down because of a (by itself: connection refused)');
    await up('a');
    // Then it speaks for itself again.
    expect(await shown('b')).toMatchObject({ verdict: 'down', reason: 'refused', becauseOf: null });
  });

  test('an optional one degrades, a fallback stands in', async () => {
    await needs('b', 'a', 'optional');
    await needs('c', 'a');
    await needs('c', 'x', 'fallback');
    await down('a');
    expect(await shown('b')).toMatchObject({
      verdict: 'degraded',
      reason: 'dependency_degraded',
      status: 'active',
      becauseOf: 'a',
    });
    expect(await shown('c')).toMatchObject({ verdict: 'up', becauseOf: null });
    await down('x');
    expect(await shown('c')).toMatchObject({
      verdict: 'down',
      message: 'down because of a, with no fallback left',
    });
    await up('x');
    expect(await shown('c')).toMatchObject({ verdict: 'up', becauseOf: null });
  });

  test('a cycle is reported once, resolved when it is gone, and ends in one server', async () => {
    await needs('a', 'b');
    await needs('b', 'c');
    await needs('c', 'a');
    expect((await tick()).cycles).toBe(1);
    expect((await tick()).cycles).toBe(0);
    const other = createAround({ db: connection.db, policy: () => policy, onBadWindow: () => undefined });
    expect((await other.run()).cycles).toBe(0);
    const events = () =>
      connection.db.select().from(systemEvent).where(eq(systemEvent.type, 'dependency_cycle'));
    expect(await events()).toMatchObject([
      { status: 'active', data: { members: ['a', 'b', 'c'], count: 3 } },
    ]);

    await down('a', 'b', 'c');
    expect([
      (await shown('a')).becauseOf,
      (await shown('b')).becauseOf,
      (await shown('c')).becauseOf,
    ]).toEqual([null, 'a', 'a']);

    await connection.db.delete(mcpServerDependency).where(eq(mcpServerDependency.serverId, 'c'));
    await tick();
    expect(await events()).toMatchObject([{ status: 'resolved' }]);
  });

  test('a dependency that is registered or removed shows without a probe', async () => {
    await down('a');
    await needs('b', 'a');
    await tick();
    expect(await shown('b')).toMatchObject({ becauseOf: 'a', status: 'error' });
    await connection.db.delete(mcpServerDependency);
    await tick();
    expect(await shown('b')).toMatchObject({ becauseOf: null, verdict: 'up', status: 'active' });
  });

  test('a first failure has what it requires probed soon', async () => {
    await needs('b', 'a');
    const next = async () =>
      (await connection.db.select().from(serverState).where(eq(serverState.serverId, 'a')))[0]?.nextProbeAt;
    await connection.db
      .update(serverState)
      .set({ lastProbeAt: new Date(Date.now() - MINUTE) })
      .where(eq(serverState.serverId, 'a'));
    const before = await next();
    await well('b');
    expect(await next()).toEqual(before);
    await fail('b');
    expect((await next())?.getTime()).toBeLessThan(Date.now() + MINUTE);
  });

  test('a chain of a thousand servers and a batch that is stored twice at once', async () => {
    const rows = Array.from({ length: 1000 }, (_, index) => ({ id: `s${String(index).padStart(4, '0')}` }));
    await connection.db.execute(sql`
      INSERT INTO mcp_server (id, name, version, endpoint_url, owner_id, status, created_at, updated_at, transport_type)
      SELECT r.id, r.id, '', 'http://127.0.0.1:1/', 'o', 'active', now(), now(), 'http' FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(id text)`);
    await connection.db.execute(sql`
      INSERT INTO vitals.server_state (server_id, next_probe_at, own, own_status, verdict, reason, status_written)
      SELECT id, now() + interval '1 day', '{"verdict":"up","reason":"ok","message":null}', 'active', 'up', 'ok', 'active'
      FROM mcp_server WHERE id LIKE 's0%'`);
    await connection.db.execute(sql`
      INSERT INTO mcp_server_dependency (server_id, depends_on_server_id, dependency_type, created_at)
      SELECT 's' || lpad(i::text, 4, '0'), CASE i WHEN 0 THEN 'a' ELSE 's' || lpad((i - 1)::text, 4, '0') END, 'required', now()
      FROM generate_series(0, 999) i`);
    await Promise.all([down('a'), down('x')]);
    await tick();
    expect(await shown('s0999')).toMatchObject({ becauseOf: 'a', status: 'error' });
    await up('a');
    await tick();
    expect(await shown('s0999')).toMatchObject({ becauseOf: null, status: 'active' });
  });
});

describe('maintenance', () => {
  beforeEach(async () => {
    await registerAll(connection.db, [{ id: 'a' }, { id: 'b', tenantId: 't' }]);
    await up('a', 'b');
  });

  test('a window begins and ends by itself, and the true state comes back at once', async () => {
    const id = await addWindow({ scheduledEnd: new Date(Date.now() + MINUTE) });
    expect(await tick()).toMatchObject({ advanced: 1, shown: 1 });
    expect(await window(id)).toMatchObject({ status: 'in_progress', actualEnd: null });
    expect((await window(id))?.actualStart).not.toBeNull();
    expect(await shown('a')).toMatchObject({
      verdict: 'maintenance',
      reason: 'maintenance',
      status: 'maintenance',
      health: 'healthy',
    });
    expect((await shown('a')).message).toMatch(/^in maintenance: upgrade, until 20/);
    expect(await shown('b')).toMatchObject({ verdict: 'up', status: 'active' });
    expect([...(await readSuppressions(connection.db)).keys()]).toEqual(['a']);
    expect(await tick()).toMatchObject({ advanced: 0, shown: 0 });

    // It is probed, fails and is muted: that shows when the window is over.
    await down('a');
    expect(await shown('a')).toMatchObject({
      verdict: 'maintenance',
      status: 'maintenance',
      health: 'unhealthy',
    });
    await connection.db.update(maintenanceWindow).set({ scheduledEnd: new Date(Date.now() - 1) });
    expect(await tick()).toMatchObject({ advanced: 1, shown: 1 });
    expect(await window(id)).toMatchObject({ status: 'completed' });
    expect((await window(id))?.actualEnd).not.toBeNull();
    expect(await shown('a')).toMatchObject({
      verdict: 'down',
      reason: 'refused',
      status: 'error',
      health: 'unhealthy',
    });
    expect(await statusEvents('a')).toEqual([
      'inactive → active',
      'active → maintenance',
      'maintenance → error',
    ]);
    expect((await readSuppressions(connection.db)).size).toBe(0);
  });

  test('an extended one goes on until it is ended, a cancelled one ends at once', async () => {
    const id = await addWindow({
      status: 'extended',
      scheduledEnd: new Date(Date.now() - 1),
      affectedServices: ['*'],
    });
    await tick();
    expect(await shown('a')).toMatchObject({
      status: 'maintenance',
      message: 'in maintenance: upgrade, until it is ended',
    });
    await well('a');
    expect(await shown('a')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
    await connection.db
      .update(maintenanceWindow)
      .set({ status: 'cancelled' })
      .where(eq(maintenanceWindow.id, id));
    await tick();
    expect(await shown('a')).toMatchObject({ verdict: 'up', status: 'active' });
    expect(await window(id)).toMatchObject({ status: 'cancelled' });
  });

  test('only the tenants that it names', async () => {
    await addWindow({ affectedServices: ['*'], affectedTenants: ['t'] });
    await tick();
    expect([(await shown('a')).status, (await shown('b')).status]).toEqual(['active', 'maintenance']);
  });

  test('a recurring window of the policy, and the end of it when the file changes', async () => {
    policy = {
      ...DEFAULT_POLICY,
      maintenance: [
        {
          title: 'always',
          cron: '* * * * *',
          timeZone: 'UTC',
          durationMs: 2 * MINUTE,
          services: ['a'],
          tenants: [],
        },
      ],
    };
    await tick();
    expect(await shown('a')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
    policy = DEFAULT_POLICY;
    await tick();
    expect(await shown('a')).toMatchObject({ verdict: 'up', status: 'active' });
  });

  test('what a person set stays: maintenance is labelled and muted, inactive is not touched', async () => {
    await connection.db.update(mcpServer).set({ status: 'maintenance' }).where(eq(mcpServer.id, 'a'));
    await connection.db.update(mcpServer).set({ status: 'inactive' }).where(eq(mcpServer.id, 'b'));
    await addWindow({ affectedServices: ['b'] });
    await tick();
    expect(await shown('a')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
    expect(await shown('b')).toMatchObject({ verdict: 'maintenance', status: 'inactive' });
    await down('a');
    expect(await shown('a')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
    await connection.db.update(mcpServer).set({ status: 'active' }).where(eq(mcpServer.id, 'a'));
    await tick();
    expect(await shown('a')).toMatchObject({ verdict: 'down', status: 'error' });
  });

  test('a server without a state is left as it is until its first probe', async () => {
    await registerAll(connection.db, [{ id: 'new' }]);
    await addWindow({ affectedServices: ['*'] });
    await tick();
    expect(await shown('new')).toMatchObject({ verdict: null, status: 'inactive' });
    await well('new');
    expect(await shown('new')).toMatchObject({ verdict: 'maintenance', status: 'maintenance' });
  });

  test('rows that cannot be used are told of once, and cost nobody else anything', async () => {
    await addWindow({ title: 'backwards', scheduledEnd: new Date(Date.now() - 5 * MINUTE) });
    const id = await addWindow({ title: 'no list' });
    await connection.db.execute(
      sql`UPDATE maintenance_window SET affected_services = '{"a": 1}' WHERE id = ${id}::uuid`,
    );
    const odd = await addWindow({ title: 'odd' });
    await connection.db.execute(sql`
      UPDATE maintenance_window SET affected_services = ${'["\\u0000", "nobody"]'}::json WHERE id = ${odd}::uuid`);
    await addWindow({ title: 'good', affectedServices: ['b'] });
    const endless = await addWindow({ title: 'endless' });
    await connection.db.execute(
      sql`UPDATE maintenance_window SET scheduled_end = 'infinity' WHERE id = ${endless}::uuid`,
    );
    const far = await addWindow({ title: 'far' });
    await connection.db.execute(
      sql`UPDATE maintenance_window SET scheduled_end = '290000-01-01' WHERE id = ${far}::uuid`,
    );
    await tick();
    await tick();
    await well('a');
    expect(bad.map(({ title, problem }) => `${title}: ${problem}`).sort()).toEqual([
      'backwards: it ends before it starts',
      'endless: its scheduled times are not times',
      'far: its scheduled times are not times',
      'no list: affected_services is not a list of texts',
    ]);
    expect([(await shown('a')).status, (await shown('b')).status]).toEqual(['active', 'maintenance']);
  });

  test('commands plan, end and cancel windows', async () => {
    const { db } = connection;
    const times = {
      scheduledStart: new Date(Date.now() - MINUTE),
      scheduledEnd: new Date(Date.now() + MINUTE),
    };
    const plan = (start = times.scheduledStart) =>
      insertWindow(
        db,
        {
          title: 'disks',
          type: 'upgrade',
          impact: 'none',
          ...times,
          scheduledStart: start,
          services: ['a'],
          tenants: [],
        },
        'somebody',
      );
    expect(await findUnknownServices(db, ['a', 'nobody', '*'])).toEqual(['nobody']);
    const now = await plan();
    const later = await plan(new Date(Date.now() + MINUTE / 2));
    await tick();
    expect(await shown('a')).toMatchObject({ status: 'maintenance' });
    expect((await listWindows(db, 10)).map(({ id, status }) => [id, status])).toEqual([
      [later, 'scheduled'],
      [now, 'in_progress'],
    ]);
    expect(await endWindow(db, later, 'completed')).toBe('not_begun');
    expect(await endWindow(db, later, 'cancelled')).toBe('done');
    expect(await endWindow(db, later, 'cancelled')).toBe('over');
    expect(await endWindow(db, 'no id', 'cancelled')).toBe('unknown');
    expect(await endWindow(db, now, 'completed')).toBe('done');
    await tick();
    expect(await shown('a')).toMatchObject({ status: 'active' });
    expect(await window(now)).toMatchObject({ status: 'completed' });
    expect(await window(later)).toMatchObject({ status: 'cancelled', actualStart: null, actualEnd: null });
  });

  test('the history goes on to say what the probes saw', async () => {
    await addWindow();
    await tick();
    await down('a');
    const rows = await connection.db
      .select()
      .from(mcpServerHealthCheck)
      .where(eq(mcpServerHealthCheck.serverId, 'a'));
    expect(rows.filter(({ status }) => status === 'error')).toHaveLength(2);
  });
});

describe('incidents', () => {
  const ids = ['a', 'b', 'c', 'd'];
  const hosted = (id: string, outcome = failedWith(REFUSED)) =>
    storeOutcome(connection.db, store, id, outcome, { hostKey: 'shared.test' });
  const alerts = async () => await connection.db.select().from(alert).orderBy(alert.key);
  const firing = async () => (await alerts()).filter(({ resolvedAt }) => resolvedAt === null);

  beforeEach(async () => {
    await registerAll(
      connection.db,
      [...ids, 'well'].map((id) => ({ id, hostKey: 'shared.test' })),
    );
    for (const id of [...ids, 'well']) for (const _ of [1, 2]) await hosted(id, outcomeOf());
  });

  test('servers of one host that fail together are one incident, until all are well', async () => {
    for (const id of ['a', 'b', 'c']) await hosted(id);
    expect(await tick()).toMatchObject({ begun: 0 });
    await hosted('a');
    expect(await tick()).toMatchObject({ begun: 1, ended: 0 });
    expect(await tick()).toMatchObject({ begun: 0, ended: 0 });
    const [incident] = (await firing()).filter(({ kind }) => kind === 'incident');
    expect(incident).toMatchObject({
      key: 'incident:host:shared.test',
      severity: 'critical',
      title: '3 servers failed together: they share the host shared.test',
      data: { count: 3, members: ['a', 'b', 'c'].map((id) => ({ id, name: id })) },
    });
    // A later one joins; the alert of each that is confirmed says who speaks for it.
    for (const id of ['b', 'c', 'd', 'd']) await hosted(id);
    await tick();
    const members = (await firing()).filter(({ kind }) => kind === 'server_down');
    expect(members.map(({ incidentId }) => incidentId)).toEqual(ids.map(() => incident?.id));
    expect((await firing()).find(({ kind }) => kind === 'incident')?.data).toMatchObject({ count: 4 });

    for (const id of ids) for (const _ of [1, 2]) await hosted(id, outcomeOf());
    expect(await tick()).toMatchObject({ begun: 0, ended: 1 });
    expect(await firing()).toEqual([]);
  });

  test('what one that ended because too few were left leaves behind speaks for itself', async () => {
    for (const id of ids) for (const _ of [1, 2]) await hosted(id);
    await tick();
    for (const id of ['a', 'b', 'c']) for (const _ of [1, 2]) await hosted(id, outcomeOf());
    expect(await tick()).toMatchObject({ ended: 0 });
    expect((await firing()).find(({ key }) => key === 'server_down:d')?.incidentId).not.toBeNull();
    await connection.db.execute(sql`
      UPDATE vitals.alert SET data = data || jsonb_build_object('fewSinceMs', 1) WHERE kind = 'incident'`);
    expect(await tick()).toMatchObject({ begun: 0, ended: 1 });
    expect(await firing()).toMatchObject([{ key: 'server_down:d', incidentId: null }]);
  });

  test('those in maintenance, and those that another server explains, are no members', async () => {
    await addWindow({ affectedServices: ['a'] });
    await needs('b', 'c');
    await tick();
    for (const id of ['c', 'a', 'b', 'd']) for (const _ of [1, 2]) await hosted(id);
    expect(await tick()).toMatchObject({ begun: 0 });
  });

  test('a first failure has others that share something with it probed soon, once a minute until it may be an incident', async () => {
    const due = async () =>
      (await connection.db.select().from(serverState))
        .filter(({ nextProbeAt }) => nextProbeAt.getTime() < Date.now() + 1_000)
        .map(({ serverId }) => serverId)
        .sort();
    await connection.db.update(serverState).set({ lastProbeAt: new Date(Date.now() - MINUTE) });
    await connection.db
      .update(mcpServer)
      .set({ settings: sql`'{"monitor":{"budget":{"doNotWake":true}}}'::json` })
      .where(eq(mcpServer.id, 'd'));
    await hosted('a');
    await tick();
    expect(await due()).toEqual(['b', 'c', 'well']);
    await connection.db.update(serverState).set({ nextProbeAt: new Date(Date.now() + MINUTE) });
    await hosted('b');
    await tick();
    expect(await due()).toEqual([]);
    await hosted('c');
    await connection.db.update(serverState).set({ nextProbeAt: new Date(Date.now() + MINUTE) });
    await tick();
    expect(await due()).toEqual(['well']);
  });
});

test('a replica that is cut off says so once; the alert of one that is gone ends', async () => {
  const { db } = connection;
  const open = async () => (await db.select().from(alert)).filter(({ resolvedAt }) => resolvedAt === null);
  await registerAll(db, [{ id: 'a' }]);
  await recordOffline(db, 'one', 'no network');
  await recordOffline(db, 'one', 'no network');
  await recordOffline(db, 'two', 'no network');
  expect((await open()).map(({ key }) => key).sort()).toEqual(['monitor_offline:one', 'monitor_offline:two']);
  await recordOnline(db, 'one');
  await tick();
  expect((await open()).map(({ key }) => key)).toEqual(['monitor_offline:two']);
  await db.execute(sql`UPDATE vitals.alert SET data = data || '{"seenMs": 1}'`);
  await tick();
  expect(await open()).toEqual([]);
});

test('whom a replica judged by what it thought before is asked again, and nobody else', async () => {
  const { db } = connection;
  await registerAll(db, [{ id: 'believed' }, { id: 'unseen' }, { id: 'well' }]);
  const later = () => db.update(serverState).set({ nextProbeAt: new Date(Date.now() + 10 * MINUTE) });
  const soon = async () =>
    (await db.select().from(serverState))
      .filter(({ nextProbeAt }) => nextProbeAt.getTime() < Date.now() + MINUTE)
      .map(({ serverId }) => serverId);
  await db.execute(sql`UPDATE vitals.server_state
    SET own = '{"verdict":"unknown","reason":"monitor_offline","message":null}' WHERE server_id = 'unseen'`);
  await later();
  await askBelievedAgain(db, ['believed', 'unseen']);
  expect(await soon()).toEqual(['believed']);
  await later();
  await askUnseenAgain(db);
  expect(await soon()).toEqual(['unseen']);
});

test('where nothing lies over anything, one statement finds that out', async () => {
  await registerAll(connection.db, [{ id: 'a' }]);
  await up('a');
  let statements = 0;
  const counting = {
    execute: (...args: Parameters<typeof connection.db.execute>) => {
      statements += 1;
      return connection.db.execute(...args);
    },
  };
  expect(await refreshShown(counting as typeof connection.db, ['a'], DEFAULT_POLICY)).toBeNull();
  expect(statements).toBe(1);
});
