import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChannelConfig } from '../../../src/core/alerts/alerts-config.ts';
import { composeMaintenance, composeMessage } from '../../../src/core/alerts/compose-message.ts';
import { describeMessage } from '../../../src/core/alerts/describe-message.ts';
import type { KnownAlert } from '../../../src/core/alerts/known-alert.ts';
import { createChannel } from '../../../src/notify/create-channel.ts';
import { NASTY_TEXTS } from '../../support/nasty-text.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { readMail, startSmtpSink } from '../../support/smtp-sink.ts';

/** What must not come out at any end of a message, decoded. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
const BAD = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** Those that our mails have, and no other. */
const MAIL_HEADERS = [
  'auto-submitted',
  'content-transfer-encoding',
  'content-type',
  'date',
  'from',
  'in-reply-to',
  'message-id',
  'mime-version',
  'references',
  'subject',
  'to',
  'x-vitals-delivery',
];
const common = { timeoutMs: 5_000, giveUpAfterMs: 60_000 };

let receiver: Receiver;
let smtp: Awaited<ReturnType<typeof startSmtpSink>>;
beforeAll(async () => {
  receiver = await startReceiver();
  smtp = await startSmtpSink();
});
afterAll(async () => {
  smtp.close();
  await receiver.close();
});

const channels = (): ChannelConfig[] => [
  { type: 'webhook', url: `${receiver.url}/hook`, secret: null, headers: {}, ...common },
  { type: 'slack', url: `${receiver.url}/slack`, ...common },
  { type: 'pagerduty', url: `${receiver.url}/pd`, routingKey: 'r', ...common },
  { type: 'alertmanager', url: `${receiver.url}/am`, headers: {}, labels: {}, ...common },
  { type: 'apprise', url: receiver.url, headers: {}, key: 'k', urls: [], tag: null, ...common },
];

function alertOf(text: string): KnownAlert {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    key: 'server_down:a',
    kind: 'server_down',
    severity: 'critical',
    title: text,
    description: text,
    server: { id: 'a', name: text, tags: [] },
    tenantId: null,
    startedAtMs: 0,
    resolvedAtMs: null,
    data: {},
    incidentId: null,
  };
}

/** Every text in a JSON value. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) yield* textsIn(member);
}

describe.each(NASTY_TEXTS.map((text) => [JSON.stringify(text.slice(0, 40)), text] as const))(
  '%s',
  (_, text) => {
    const alert = alertOf(text);
    const message = composeMessage(
      {
        groupKey: 'g',
        transitions: [{ alertId: alert.id, transition: 'fire' }],
        repeatIntervalMs: 1_000,
      },
      new Map([[alert.id, alert]]),
      () => [alert],
      0,
    );

    test('reaches every channel as text, and short', async () => {
      for (const config of channels()) {
        const from = receiver.log.length;
        const sent = await createChannel(config).send(message, {
          idempotencyKey: 'k',
          signal: AbortSignal.timeout(10_000),
          nowMs: 0,
        });
        expect(sent.state, config.type).toBe('accepted');
        const bodies = receiver.log.slice(from).map(({ body }) => JSON.parse(body) as unknown);
        expect(bodies.length).toBeGreaterThan(0);
        for (const shown of textsIn(bodies)) {
          expect(shown, config.type).not.toMatch(BAD);
          expect(LONE.test(shown), config.type).toBe(false);
          expect(shown.length).toBeLessThan(20_000);
          if (config.type === 'slack') expect(shown).not.toMatch(/<|>|@(?!\u2060)|\]\(/);
        }
      }
    });

    test('reaches a mailbox as text, in the headers that a mail has, and to those it is for', async () => {
      const config: ChannelConfig = {
        type: 'email',
        smtpUrl: `smtp://127.0.0.1:${smtp.port}`,
        from: 'Vitals <vitals@example.com>',
        to: ['a@example.com'],
        ...common,
      };
      const from = smtp.mails.length;
      const context = { idempotencyKey: 'k', signal: AbortSignal.timeout(10_000), nowMs: 0 };
      expect(await createChannel(config).send(message, context)).toMatchObject({ state: 'accepted' });
      const mails = smtp.mails.slice(from);
      expect(mails).toHaveLength(1);
      const [mail] = mails;
      expect(mail).toMatchObject({ from: 'vitals@example.com', to: ['a@example.com'] });
      const raw = mail?.text ?? '';
      // On the wire: lines of no more than SMTP takes, and nothing but ASCII.
      for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
      expect(raw.replaceAll('\r\n', '')).toMatch(/^[\t\x20-\x7e]*$/);
      const { headers, body } = readMail(raw);
      expect([...headers.keys()].sort()).toEqual(MAIL_HEADERS);
      for (const [name, values] of headers) expect(values, name).toHaveLength(1);
      for (const [name, [value = '']] of headers) {
        expect(value, name).not.toMatch(BAD);
        expect(value, name).not.toContain('\n');
        expect(LONE.test(value), name).toBe(false);
      }
      // No part of it is markup for a reader to run.
      expect(headers.get('content-type')).toEqual(['text/plain; charset=utf-8']);
      expect(headers.get('subject')).toEqual([message.subject]);
      const shown = body.replaceAll('\r\n', '\n');
      expect(shown.trimEnd()).toBe(describeMessage(message).trimEnd());
      expect(shown).not.toMatch(BAD);
      expect(shown).not.toContain('\r');
      expect(LONE.test(shown)).toBe(false);
      expect(shown.length).toBeLessThan(20_000);
    });

    test('is one line of a subject, of a maintenance too', () => {
      const maintenance = composeMaintenance(
        {
          id: 'm',
          title: text,
          description: text,
          phase: 'started',
          impact: 'minor',
          scheduledEnd: '2026-01-01T00:00:00.000Z',
        },
        'g',
        0,
      );
      for (const { subject } of [message, maintenance]) {
        expect(subject).not.toMatch(BAD);
        expect(subject).not.toContain('\n');
        expect(subject.length).toBeLessThan(300);
      }
    });
  },
);
