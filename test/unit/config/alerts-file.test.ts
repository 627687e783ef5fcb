import { describe, expect, test } from 'vitest';
import { parseAlerts } from '../../../src/config/alerts-file.ts';
import { NO_ALERTS } from '../../../src/core/alerts/alerts-config.ts';
import { secretsOfAlerts } from '../../../src/core/alerts/secrets-of.ts';

const environment: Record<string, string> = {
  HOOK_SECRET: 'a long secret',
  SLACK_URL: 'https://hooks.slack.example/services/T0/B0/abcdef123456',
  EMPTY: '',
};
const parse = (text: string) => parseAlerts('alerts.yaml', text, (name) => environment[name]);
const problemOf = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

describe('an alerts file', () => {
  test('may be empty, and tells nobody then', () => {
    expect(parse('')).toEqual(NO_ALERTS);
  });

  test('has channels, routes in order with the default’s timing, and a heartbeat', () => {
    const alerts = parse(`
channels:
  ops: { type: webhook, url: "http://127.0.0.1:1/hook", secret: env:HOOK_SECRET }
  chat: { type: slack, url: env:SLACK_URL, timeoutMs: 500 }
  mail: { type: email, smtpUrl: "smtp://u:pass%20word@mail.example", from: Vitals <v@example.com>, to: a@example.com }
default: { channels: [mail], groupWaitMs: 10 }
routes:
  - match: { tag: production, minSeverity: error }
    channels: [ops, chat]
    continue: true
    repeatIntervalMs: 60000
  - match: { tenant: [a, b], kind: slo_burn, severity: [info, critical], server: s }
    channels: []
heartbeat: { url: https://ping.example/abc }
`);
    expect(alerts.channels.get('ops')).toMatchObject({
      secret: 'a long secret',
      timeoutMs: 10_000,
      headers: {},
    });
    expect(alerts.channels.get('chat')).toMatchObject({ url: environment.SLACK_URL, timeoutMs: 500 });
    expect(alerts.channels.get('mail')).toMatchObject({ to: ['a@example.com'] });
    expect(alerts.fallback).toEqual({ ...NO_ALERTS.fallback, channels: ['mail'], groupWaitMs: 10 });
    const nothing = { tenants: null, tags: null, severities: null, kinds: null, servers: null };
    expect(alerts.routes).toEqual([
      {
        ...alerts.fallback,
        channels: ['ops', 'chat'],
        continue: true,
        repeatIntervalMs: 60_000,
        match: { ...nothing, tags: ['production'], severities: ['error', 'critical'] },
      },
      {
        ...alerts.fallback,
        channels: [],
        continue: false,
        match: {
          tenants: ['a', 'b'],
          tags: null,
          severities: ['info', 'critical'],
          kinds: ['slo_burn'],
          servers: ['s'],
        },
      },
    ]);
    expect(alerts.heartbeat).toEqual({ url: 'https://ping.example/abc', everyMs: 60_000, method: 'GET' });
  });

  test('is refused with every problem, each with its line, and no secret', () => {
    const told = problemOf(`channels:
  ops: { type: webhook, url: "ftp://user:hunter2hunter2@h/x", secret: env:MISSING }
  pager: { type: pager }
  bad name!: { type: slack, url: env:SLACK_URL }
routes:
  - match: { kind: server_gone, minSeverity: dire }
    channels: [ops, nobody]
  - channels: [ops]
    every: 1
heartbeat: { url: nowhere, everyMs: 1 }
`);
    expect(told.split('\n')).toHaveLength(10);
    expect(told).toMatch(/^alerts\.yaml:2:30: channels\.ops\.url: .*https:\/\/ or http:\/\/$/m);
    expect(told).toMatch(
      /^alerts\.yaml:2:71: channels\.ops\.secret: the environment variable MISSING is not set$/m,
    );
    expect(told).toMatch(/^alerts\.yaml:3:18: channels\.pager\.type: /m);
    expect(told).toMatch(/^alerts\.yaml:4:14: channels\.bad name!: /m);
    expect(told).toMatch(/^alerts\.yaml:6:20: routes\[0\]\.match\.kind: .*server_down/m);
    expect(told).toMatch(/^alerts\.yaml:6:46: routes\[0\]\.match\.minSeverity: /m);
    expect(told).toMatch(
      /^alerts\.yaml:7:21: routes\[0\]\.channels\[1\]: no channel is called "nobody"; there are ops, pager/m,
    );
    expect(told).toMatch(/^alerts\.yaml:8:5: routes\[1\]: .*every/m);
    expect(told).toMatch(/^alerts\.yaml:10:19: heartbeat\.url: /m);
    expect(told).toMatch(/^alerts\.yaml:10:37: heartbeat\.everyMs: /m);
    expect(told).not.toContain('hunter2');
  });

  test.each([
    ['routes: [{ channels: [x] }]', /no channel is called "x"$/],
    ['channels: { a: { type: slack, url: env:EMPTY } }', /EMPTY is not set/],
    ['channels: { a: { type: webhook, url: "http://h/", secret: short } }', /fewer than 8/],
    [
      'channels: { a: { type: webhook, url: "http://h/", headers: { Host: x } } }',
      /set by mcp-vitals itself/,
    ],
    ['channels: { a: { type: webhook, url: "http://h/", headers: { "a b": x } } }', /no name of a header/],
    ['channels: { a: { type: email, smtpUrl: "http://h", from: a@b, to: b@c } }', /smtp:\/\/ or smtps:\/\//],
    [
      'channels: { a: { type: email, smtpUrl: "smtp://h", from: "a@b, c@d", to: b@c } }',
      /:1:\d+: channels\.a\.from: .*an e-mail/,
    ],
    ['channels: { a: { type: email, smtpUrl: "smtp://h", from: "a@b\\nBcc: x@y", to: b@c } }', /an e-mail/],
    ['channels: { a: { type: apprise, url: "http://h" } }', /say either key/],
    ['channels: { a: { type: apprise, url: "http://h", key: k, urls: [x] } }', /say either key/],
    ['channels: { a: { type: alertmanager, url: "http://h", labels: { a-b: c } } }', /no name of a label/],
    ['routes: [{ match: { severity: info, minSeverity: info }, channels: [] }]', /exclude each other/],
    ['routes: {}', /routes: /],
    ['nonsense: 1', /nonsense/],
    ['channels: [', /^alerts\.yaml:1:\d+: /],
  ])('%s is refused', (text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });

  test('its secrets are known: keys, passwords, and the parts of addresses that are keys', () => {
    const secrets = secretsOfAlerts(
      parse(`channels:
  a: { type: webhook, url: "https://h.example/hook/plain", secret: env:HOOK_SECRET, headers: { X-Key: header-key } }
  b: { type: slack, url: env:SLACK_URL }
  c: { type: email, smtpUrl: "smtp://u:pass%20word@mail.example", from: v@example.com, to: a@example.com }
  d: { type: pagerduty, routingKey: routing-key }
  e: { type: apprise, url: "https://apprise.example/", urls: ["slack://token"] }
`),
    );
    expect(secrets).toEqual(
      expect.arrayContaining([
        'a long secret',
        'header-key',
        'abcdef123456',
        'pass%20word',
        'pass word',
        'routing-key',
        'slack://token',
      ]),
    );
    expect(secrets).not.toContain('https://h.example/hook/plain');
  });
});
