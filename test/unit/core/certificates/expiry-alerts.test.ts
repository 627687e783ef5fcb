import { expect, test } from 'vitest';
import { expiryAlerts } from '../../../../src/core/certificates/expiry-alerts.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 10, 12);
const alerts = (expiresInDays: number | null, previousInDays: number | null) =>
  expiryAlerts(
    {
      serverId: 's1',
      name: 'Server \u0000one',
      tenantId: 't',
      certificate: {
        issuer: 'CA',
        subject: 'h',
        validToMs: expiresInDays === null ? null : NOW + expiresInDays * DAY,
      },
      previousExpiryMs: previousInDays === null ? null : NOW + previousInDays * DAY,
    },
    NOW,
  ).map(({ action, key }) => `${action} ${key}`);

const fire = (mark: string) => `fire certificate_expiring:s1:${mark}`;
const resolve = (mark: string) => `resolve certificate_expiring:s1:${mark}`;

test.each<[number | null, number | null, string[]]>([
  [null, null, []],
  [90, null, []],
  [90, 90, []],
  [21.01, 90, []],
  [21, 21.01, [fire('21d')]],
  [8, 8, [fire('21d')]],
  [7, null, [fire('21d'), fire('7d')]],
  [-1, 2, [fire('21d'), fire('7d')]],
  [90, 6, [resolve('21d'), resolve('7d')]],
  [90, 12, [resolve('21d')]],
  [12, 6, [fire('21d'), resolve('7d')]],
])('a certificate of %s days, after one of %s', (days, previous, expected) => {
  expect(alerts(days, previous)).toEqual(expected);
});

test('a warning says which server, when, and what to do', () => {
  const [warning] = expiryAlerts(
    {
      serverId: 's1',
      name: 'one\u0000',
      tenantId: 't',
      certificate: { issuer: 'CA', subject: 'h', validToMs: Date.UTC(2026, 0, 20) },
      previousExpiryMs: null,
    },
    NOW,
  );
  expect(warning).toMatchObject({
    kind: 'certificate_expiring',
    severity: 'warning',
    serverId: 's1',
    tenantId: 't',
    title: 'one: its certificate expires on 2026-01-20',
    data: { daysLeft: 9, expiresAt: '2026-01-20T00:00:00.000Z', issuer: 'CA', subject: 'h' },
  });
});
