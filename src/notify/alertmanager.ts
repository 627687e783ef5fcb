import type { AlertmanagerConfig } from '../core/alerts/alerts-config.ts';
import type { AlertNews, Message } from '../core/alerts/compose-message.ts';
import type { Channel } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';

/**
 * Labels are an alert's identity there: only what stays the same from its beginning to its end. It forgets what
 * it does not hear of again, so a firing alert says until when it holds: some repeats from now.
 */
function alertOf(config: AlertmanagerConfig, news: AlertNews, message: Message) {
  const labels: Record<string, string> = {
    ...config.labels,
    alertname: news.kind,
    severity: news.severity,
    key: news.key,
    ...(news.server ? { server_id: news.server.id } : {}),
    ...(news.tenantId === null ? {} : { tenant: news.tenantId }),
  };
  return {
    labels,
    annotations: {
      summary: news.title,
      ...(news.description === null ? {} : { description: news.description }),
      ...(news.server ? { server: news.server.name } : {}),
      ...(news.members.length > 0 ? { members: news.members.map(({ name }) => name).join(', ') } : {}),
      alert_id: news.id,
    },
    startsAt: news.startedAt,
    endsAt: news.state === 'resolved' ? (news.resolvedAt ?? message.createdAt) : message.freshUntil,
  };
}

const testAlert = (config: AlertmanagerConfig, message: Message) => ({
  labels: { ...config.labels, alertname: 'mcp_vitals_test', severity: 'info' },
  annotations: { summary: message.subject },
  startsAt: message.createdAt,
  endsAt: message.freshUntil,
});

/** POST /api/v2/alerts, as Prometheus itself does. */
export function createAlertmanager(config: AlertmanagerConfig): Channel {
  const url = `${config.url.replace(/\/+$/, '')}/api/v2/alerts`;
  return {
    async send(message, { signal, nowMs }) {
      const alerts =
        message.kind === 'test'
          ? [testAlert(config, message)]
          : message.alerts.map((news) => alertOf(config, news, message));
      // It has silences for maintenance, and no word for its beginning.
      if (alerts.length === 0) return { state: 'accepted', answer: 'no alert to tell' };
      try {
        const answer = await postJson(url, JSON.stringify(alerts), {
          headers: { ...config.headers },
          signal,
        });
        return judgeAnswer(answer, nowMs);
      } catch (error) {
        return judgeFailure(error, signal);
      }
    },
  };
}
