import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message } from '../../../src/core/alerts/compose-message.ts';
import { recordAlertChanges } from '../../../src/db/queries/alerts.ts';
import { maintenanceWindow, mcpServer, outbox, systemEvent } from '../../../src/db/schema/index.ts';
import { verifySignature } from '../../../src/notify/sign.ts';
import { fire, resolve } from '../../support/alert-changes.ts';
import {
  clearQueue,
  eventually,
  startTestDaemon,
  type TestDaemon,
  testConfig,
} from '../../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { registerServer } from '../../support/registry.ts';
import { startTinyMcp, type TinyMcp } from '../../support/tiny-mcp.ts';

const SECRET = 'the secret of the hook';
let database: TestDatabase;
let daemon: TestDaemon;
let receiver: Receiver;
let tiny: TinyMcp;
let folder: string;
let alertsFile: string;

const fileText = (more = '') => `channels:
  ops: { type: webhook, url: "${receiver.url}/ops", secret: ${SECRET} }
  beats: { type: slack, url: "${receiver.url}/beats" }
default: { channels: [ops], groupWaitMs: 0, groupIntervalMs: 0 }
heartbeat: { url: "${receiver.url}/alive", everyMs: 1000 }
${more}`;

beforeAll(async () => {
  await clearQueue();
  database = await createTestDatabase();
  receiver = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), 'vitals-alerts-'));
  alertsFile = join(folder, 'alerts.yaml');
  await writeFile(alertsFile, fileText());
  daemon = await startTestDaemon(testConfig(database.url, { files: { policy: null, alerts: alertsFile } }));
  tiny = await startTinyMcp();
  await registerServer(daemon.db, { id: 'a', name: 'Server A', endpointUrl: tiny.url });
  // Once it is known to be well, nothing but this test has anything to say of it.
  await eventually('its first check', async () => {
    const [server] = await daemon.db.select().from(mcpServer);
    return server?.lastHealthCheck ?? undefined;
  });
});
afterAll(async () => {
  await daemon?.stop();
  await receiver.close();
  await tiny.close();
  await database.close();
  await rm(folder, { recursive: true });
});

const messages = () =>
  receiver.log
    .filter(({ path }) => path === '/ops')
    .map(({ body }) => JSON.parse(body) as Message & { id: string });

describe('a running daemon', () => {
  test('tells of an alert and of its end, signed, and notes it with the event', async () => {
    await recordAlertChanges(daemon.db, [fire('a')]);
    const request = await receiver.until('the beginning', () =>
      receiver.log.find(({ path }) => path === '/ops'),
    );
    const [told] = messages();
    expect(told).toMatchObject({ kind: 'alerts', subject: '[FIRING] a is down' });
    expect(told?.alerts).toMatchObject([
      { change: 'fire', kind: 'server_down', server: { id: 'a', name: 'Server A' } },
    ]);
    expect(request.headers['idempotency-key']).toBe(told?.id);
    const signed = {
      timestamp: String(request.headers['x-vitals-timestamp']),
      signature: String(request.headers['x-vitals-signature']),
      body: request.body,
    };
    expect(verifySignature(SECRET, signed, { nowMs: Date.now() })).toBe(true);
    await eventually('the note', async () => {
      const [event] = await daemon.db.select().from(systemEvent).where(eq(systemEvent.type, 'server_down'));
      return event?.notificationSent ? event : undefined;
    }).then((event) => expect(event.notificationChannels).toEqual(['ops']));

    await recordAlertChanges(daemon.db, [resolve('a')]);
    await receiver.until('the end', () => (messages().length >= 2 ? true : undefined));
    expect(messages()[1]?.alerts).toMatchObject([
      { change: 'resolve', state: 'resolved', id: told?.alerts[0]?.id },
    ]);
    const entries = await daemon.db.select().from(outbox);
    expect(entries.map(({ doneAt, heldBecause }) => [doneAt !== null, heldBecause])).toEqual([
      [true, null],
      [true, null],
    ]);
  });

  test('announces a maintenance window once, and its end', async () => {
    const [window] = await daemon.db
      .insert(maintenanceWindow)
      .values({
        title: 'New disks',
        type: 'scheduled',
        impact: 'partial',
        status: 'in_progress',
        scheduledStart: new Date(),
        scheduledEnd: new Date(Date.now() + 3_600_000),
        actualStart: new Date(),
        createdBy: 'somebody',
        notificationChannels: ['beats', 'carrier pigeon'],
      })
      .returning();
    if (!window) throw new Error('no window');
    await receiver.until('its beginning', () => receiver.log.find(({ path }) => path === '/beats'));
    await daemon.db.update(maintenanceWindow).set({ status: 'completed', actualEnd: new Date() });
    const said = await receiver.until('its end', () => {
      const bodies = receiver.log.filter(({ path }) => path === '/beats').map(({ body }) => body);
      return bodies.length >= 2 ? bodies : undefined;
    });
    expect(said[0]).toContain('New disks has begun');
    expect(said[1]).toContain('New disks has ended');
    const [noted] = await eventually('the note', async () => {
      const rows = await daemon.db.select().from(maintenanceWindow);
      return rows[0]?.notificationSent ? rows : undefined;
    });
    expect(noted?.notificationChannels).toEqual(['beats', 'carrier pigeon']);
  });

  test('sends a heartbeat while it is ready, and shows what it does', async () => {
    await receiver.until('two beats', () =>
      receiver.log.filter(({ path, method }) => path === '/alive' && method === 'GET').length >= 2
        ? true
        : undefined,
    );
    await daemon.refreshGauges();
    const metrics = await (await fetch(`${daemon.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mcp_heartbeat_last_success_timestamp_seconds \d{10}/m);
    expect(metrics).toMatch(/^mcp_notifications_total\{channel_type="webhook",result="accepted"\} 2$/m);
    expect(metrics).toMatch(/^mcp_outbox_waiting\{stage="transitions"\} 0$/m);
  });

  test('refuses a broken alerts file and goes on with the one it has', async () => {
    await writeFile(alertsFile, fileText('routes: [{ channels: [nobody] }]'));
    await eventually('the refusal', () =>
      daemon.log.find(
        ({ level, msg }) => level === 50 && String(msg).includes('no channel is called "nobody"'),
      ),
    );
    await recordAlertChanges(daemon.db, [fire('a')]);
    await receiver.until('a third message', () => (messages().length >= 3 ? true : undefined));
    await writeFile(alertsFile, fileText('routes: [{ match: { kind: server_down }, channels: [] }]'));
    await daemon.reloadSettings();
    const before = messages().length;
    await recordAlertChanges(daemon.db, [resolve('a'), fire('a')]);
    await eventually('an entry that no route takes', async () => {
      const rows = await daemon.db.select().from(outbox).where(eq(outbox.heldBecause, 'no_route'));
      return rows[0];
    });
    // The end of what was told is told, whatever the routes say by now.
    await receiver.until('the end', () => (messages().length > before ? true : undefined));
    expect(messages().at(-1)?.alerts).toMatchObject([{ change: 'resolve' }]);
  });
});
