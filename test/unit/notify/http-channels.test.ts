import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChannelConfig } from '../../../src/core/alerts/alerts-config.ts';
import { composeMaintenance, composeTest, type Message } from '../../../src/core/alerts/compose-message.ts';
import { createChannel } from '../../../src/notify/create-channel.ts';
import { signBody, verifySignature } from '../../../src/notify/sign.ts';
import { messageOf, newsOf, over } from '../../support/messages.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const common = { timeoutMs: 1_000, giveUpAfterMs: 60_000 };
const NOW_MS = 1_700_000_000_000;
const send = (config: ChannelConfig, message: Message = messageOf(), signal = AbortSignal.timeout(5_000)) =>
  createChannel(config).send(message, { idempotencyKey: 'the-key', signal, nowMs: NOW_MS });
const bodies = () => receiver.log.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const channels = (): Record<string, ChannelConfig> => ({
  webhook: {
    type: 'webhook',
    url: `${receiver.url}/hook`,
    secret: null,
    headers: { 'x-key': 'k' },
    ...common,
  },
  slack: { type: 'slack', url: `${receiver.url}/slack`, ...common },
  pagerduty: { type: 'pagerduty', url: `${receiver.url}/v2/enqueue`, routingKey: 'routing', ...common },
  alertmanager: {
    type: 'alertmanager',
    url: `${receiver.url}/am/`,
    headers: {},
    labels: { team: 'x' },
    ...common,
  },
  apprise: {
    type: 'apprise',
    url: receiver.url,
    headers: {},
    key: 'my key',
    urls: [],
    tag: 'ops',
    ...common,
  },
});
const channel = (name: string): ChannelConfig => {
  const config = channels()[name];
  if (!config) throw new Error(name);
  return config;
};

describe('webhook', () => {
  test('posts the message, the same for each attempt, with its key', async () => {
    expect(await send(channel('webhook'))).toEqual({ state: 'accepted', answer: '200 ok' });
    await send(channel('webhook'));
    const [first, second] = receiver.log;
    expect(first).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'the-key', 'x-key': 'k' },
    });
    expect(first?.headers).not.toHaveProperty('x-vitals-signature');
    expect(second?.body).toBe(first?.body);
    expect(bodies()[0]).toEqual({ id: 'the-key', ...messageOf() });
  });

  test('is signed so that a receiver can tell it from what others made, changed or kept', async () => {
    await send({ ...channel('webhook'), secret: 'secret secret' } as ChannelConfig);
    const [request] = receiver.log;
    const signed = {
      timestamp: String(request?.headers['x-vitals-timestamp']),
      signature: String(request?.headers['x-vitals-signature']),
      body: request?.body ?? '',
    };
    expect(signed.timestamp).toBe('1700000000');
    const at = { nowMs: NOW_MS };
    expect(verifySignature('secret secret', signed, at)).toBe(true);
    expect(verifySignature('other secret', signed, at)).toBe(false);
    expect(verifySignature('secret secret', { ...signed, body: `${signed.body} ` }, at)).toBe(false);
    expect(verifySignature('secret secret', { ...signed, timestamp: '1700000001' }, at)).toBe(false);
    expect(verifySignature('secret secret', { ...signed, signature: 'v1=' }, at)).toBe(false);
    expect(verifySignature('secret secret', signed, { nowMs: NOW_MS + 301_000 })).toBe(false);
    expect(verifySignature('secret secret', { ...signed, timestamp: 'x' }, at)).toBe(false);
    // As any other program computes it.
    expect(signBody('key', '1', '{}')).toBe(
      'v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224',
    );
  });
});

test('slack: one text, nothing of others in it is markup', async () => {
  expect(await send(channel('slack'))).toMatchObject({ state: 'accepted' });
  const [body] = bodies();
  expect(Object.keys(body ?? {})).toEqual(['text']);
  expect(body?.text).toMatch(/^\*\[FIRING\] Server A is down\*\nFIRING: /);
  expect(body?.text).toContain('connection &lt;refused&gt; &amp; gone');
});

describe('pagerduty', () => {
  test('one event for each alert, by the alert’s id', async () => {
    await send(
      channel('pagerduty'),
      messageOf([newsOf(), newsOf({ id: 'other', severity: 'info', ...over })]),
    );
    expect(bodies()).toMatchObject([
      {
        routing_key: 'routing',
        event_action: 'trigger',
        dedup_key: newsOf().id,
        payload: {
          summary: 'Server A is down',
          source: 'Server A',
          severity: 'critical',
          class: 'server_down',
        },
      },
      { event_action: 'resolve', dedup_key: 'other' },
    ]);
  });

  test('stops at the first that is refused; has nothing to say of maintenance', async () => {
    receiver.answer = (_, response) => void response.writeHead(429, { 'retry-after': '7' }).end();
    const two = messageOf([newsOf(), newsOf({ id: 'other' })]);
    expect(await send(channel('pagerduty'), two)).toMatchObject({
      state: 'refused',
      permanent: false,
      retryAfterMs: 7_000,
    });
    expect(receiver.log).toHaveLength(1);
    const maintenance = {
      id: 'w',
      title: 'w',
      description: null,
      phase: 'started' as const,
      impact: 'none',
      scheduledEnd: '',
    };
    expect(await send(channel('pagerduty'), composeMaintenance(maintenance, 'g', 0))).toMatchObject({
      state: 'accepted',
    });
    expect(receiver.log).toHaveLength(1);
  });
});

test('alertmanager: stable labels, and an end that lies ahead while it fires', async () => {
  await send(channel('alertmanager'), messageOf([newsOf(), newsOf(over)]));
  expect(receiver.log[0]?.path).toBe('/am/api/v2/alerts');
  const [firing, resolved] = JSON.parse(receiver.log[0]?.body ?? '[]') as Record<string, unknown>[];
  const labels = {
    team: 'x',
    alertname: 'server_down',
    severity: 'critical',
    key: 'server_down:a',
    server_id: 'a',
    tenant: 't',
  };
  expect(firing).toMatchObject({ labels, startsAt: newsOf().startedAt, endsAt: messageOf().freshUntil });
  expect(resolved).toMatchObject({ startsAt: newsOf().startedAt, endsAt: over.resolvedAt });
  expect(resolved?.labels).toEqual(firing?.labels);
});

describe('apprise', () => {
  test('a kept configuration by its key', async () => {
    await send(channel('apprise'));
    expect(receiver.log[0]?.path).toBe('/notify/my%20key');
    expect(bodies()[0]).toMatchObject({
      title: '[FIRING] Server A is down',
      type: 'failure',
      format: 'text',
      tag: 'ops',
    });
  });

  test('or the services’ URLs; the type is that of the worst', async () => {
    const config = {
      ...channel('apprise'),
      key: null,
      urls: ['json://a', 'xml://b'],
      tag: null,
    } as ChannelConfig;
    await send(config, messageOf([newsOf(over)]));
    await send(config, messageOf([newsOf({ severity: 'warning' }), newsOf(over)]));
    await send(config, composeTest('x', 0));
    expect(receiver.log[0]?.path).toBe('/notify');
    expect(bodies().map(({ type }) => type)).toEqual(['success', 'warning', 'info']);
    expect(bodies()[0]).toMatchObject({ urls: 'json://a,xml://b' });
  });

  test.each([
    [204, true],
    [424, false],
  ])('%i is no success', async (status, permanent) => {
    receiver.answer = (_, response) => void response.writeHead(status).end();
    expect(await send(channel('apprise'))).toMatchObject({ state: 'refused', permanent });
  });
});

describe.each(['webhook', 'slack', 'pagerduty', 'alertmanager', 'apprise'])('%s', (name) => {
  test.each([
    [200, 'accepted', undefined],
    [202, 'accepted', undefined],
    [302, 'refused', true],
    [400, 'refused', true],
    [404, 'refused', true],
    [408, 'refused', false],
    [425, 'refused', false],
    [429, 'refused', false],
    [500, 'refused', false],
    [503, 'refused', false],
  ])('an answer of %i is %s (for good: %s)', async (status, state, permanent) => {
    receiver.answer = (_, response) =>
      void response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end('because\nof this');
    const sent = await send(channel(name));
    expect(sent.state).toBe(state);
    if (sent.state === 'refused')
      expect(sent).toMatchObject({ permanent, problem: `${status} because of this` });
    expect(receiver.log.some(({ path }) => path === '/elsewhere')).toBe(false);
  });

  test('sends a test', async () => {
    expect(await send(channel(name), composeTest('c', NOW_MS))).toMatchObject({ state: 'accepted' });
    expect(receiver.log.length).toBeGreaterThan(0);
  });

  test('nobody there is a refusal for now, and says nothing of the address', async () => {
    const { url } = receiver;
    const config = channel(name);
    await receiver.close();
    const sent = await send(config);
    expect(sent).toMatchObject({ state: 'refused', permanent: false, retryAfterMs: null });
    expect(JSON.stringify(sent)).not.toContain(url);
    receiver = await startReceiver();
  });

  test('an answer without an end is bounded', async () => {
    receiver.answer = (_, response) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    };
    expect(await send(channel(name))).toMatchObject({ state: 'accepted' });
  });

  test('an attempt that is cut short rejects, and its connection is closed', async () => {
    const cut = new AbortController();
    let closed: Promise<unknown> = Promise.resolve();
    receiver.answer = (_, response) => {
      closed = new Promise((resolve) => response.once('close', resolve));
      cut.abort(new Error('cut'));
      return closed.then(() => undefined);
    };
    await expect(send(channel(name), messageOf(), cut.signal)).rejects.toThrow('cut');
    await closed;
  });
});

test('Retry-After may be a date', async () => {
  receiver.answer = (_, response) =>
    void response.writeHead(503, { 'retry-after': new Date(NOW_MS + 90_000).toUTCString() }).end();
  expect(await send(channel('slack'))).toMatchObject({ retryAfterMs: 90_000 });
});
