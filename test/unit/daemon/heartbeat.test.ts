import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Heartbeat } from '../../../src/core/alerts/alerts-config.ts';
import { startHeartbeat } from '../../../src/daemon/heartbeat.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

let receiver: Receiver;
let stop: () => Promise<void>;
let ok: boolean;
let log: string[];
let successes: number;
let heartbeat: Heartbeat | null;

beforeEach(async () => {
  receiver = await startReceiver();
  ok = true;
  log = [];
  successes = 0;
  heartbeat = { url: `${receiver.url}/secret-path`, everyMs: 1_000, method: 'POST' };
  const say = (level: string) => (fields: unknown, message?: unknown) =>
    void log.push(`${level}: ${String(message)} ${JSON.stringify(fields)}`);
  const running = startHeartbeat({
    alerts: () => ({ heartbeat }),
    health: {
      report: async () => ({ ok, checks: { database: ok ? { ok: true } : { ok: false, problem: 'gone' } } }),
    },
    logger: { info: say('info'), warn: say('warn') },
    onSuccess: () => {
      successes += 1;
    },
  });
  stop = running.stop;
});
afterEach(async () => {
  await stop();
  await receiver.close();
});

const beats = (count: number) =>
  receiver.until(`${count} beats`, () => (receiver.log.length >= count ? true : undefined));
const logged = (count: number) =>
  expect.poll(() => log.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);

test('beats while it is well, falls silent while it is not, and says each change once', async () => {
  await beats(2);
  expect(receiver.log[0]).toMatchObject({ method: 'POST', path: '/secret-path' });
  expect(log).toEqual([]);

  ok = false;
  await logged(1);
  const silentSince = receiver.log.length;
  expect(log[0]).toMatch(/^warn: not ready: the heartbeat has stopped .*database: gone/);
  receiver.answer = (_, response) => void response.writeHead(500).end();
  ok = true;
  await beats(silentSince + 2);
  await logged(2);
  expect(log[1]).toBe('warn: the heartbeat is not taken {"problem":"status 500"}');

  receiver.answer = (_, response) => void response.end();
  await logged(3);
  expect(log[2]).toMatch(/^info: the heartbeat is taken again/);
  expect(log).toHaveLength(3);
  expect(log.join('\n')).not.toContain('secret-path');
  expect(successes).toBeGreaterThanOrEqual(2);
});
