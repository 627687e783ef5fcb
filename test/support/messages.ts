import type { AlertNews, Message } from '../../src/core/alerts/compose-message.ts';

export const newsOf = (changes: Partial<AlertNews> = {}): AlertNews => ({
  id: '00000000-0000-4000-8000-000000000001',
  key: 'server_down:a',
  kind: 'server_down',
  severity: 'critical',
  change: 'fire',
  state: 'firing',
  title: 'Server A is down',
  description: 'connection <refused> & gone',
  server: { id: 'a', name: 'Server A' },
  tenantId: 't',
  startedAt: '2026-01-02T03:04:05.000Z',
  resolvedAt: null,
  members: [],
  data: { reason: 'refused' },
  ...changes,
});

export const over = { change: 'resolve', state: 'resolved', resolvedAt: '2026-01-02T03:10:00.000Z' } as const;

export const messageOf = (alerts: AlertNews[] = [newsOf()], changes: Partial<Message> = {}): Message => ({
  version: 1,
  kind: 'alerts',
  subject: '[FIRING] Server A is down',
  groupKey: 'server:a',
  createdAt: '2026-01-02T03:04:10.000Z',
  freshUntil: '2026-01-02T13:04:10.000Z',
  alerts,
  maintenance: null,
  ...changes,
});
