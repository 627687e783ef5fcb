import type { PagerdutyConfig } from '../core/alerts/alerts-config.ts';
import type { AlertNews, Message } from '../core/alerts/compose-message.ts';
import type { Channel, Sent } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';

const LONGEST_SUMMARY = 1_024;

/** An event as its version 2 of the API has it: the alert's id makes all that is said of one alert one incident. */
const eventOf = (routingKey: string, news: AlertNews) => ({
  routing_key: routingKey,
  event_action: news.change === 'resolve' ? 'resolve' : 'trigger',
  dedup_key: news.id,
  client: 'mcp-vitals',
  payload: {
    summary: news.title.slice(0, LONGEST_SUMMARY).toWellFormed(),
    source: news.server?.name ?? 'mcp-vitals',
    severity: news.severity,
    timestamp: news.startedAt,
    component: news.server?.id,
    group: news.tenantId ?? undefined,
    class: news.kind,
    custom_details: {
      key: news.key,
      description: news.description,
      members: news.members.map(({ name }) => name),
      data: news.data,
    },
  },
});

const testEvent = (routingKey: string, message: Message, action: 'trigger' | 'resolve', id: string) => ({
  routing_key: routingKey,
  event_action: action,
  dedup_key: id,
  client: 'mcp-vitals',
  payload: { summary: message.subject, source: 'mcp-vitals', severity: 'info', timestamp: message.createdAt },
});

/** One event for each alert; one that was taken before is taken again without effect. */
export function createPagerduty(config: PagerdutyConfig): Channel {
  return {
    async send(message, { idempotencyKey, signal, nowMs }) {
      const events: object[] =
        message.kind === 'test'
          ? (['trigger', 'resolve'] as const).map((action) =>
              testEvent(config.routingKey, message, action, idempotencyKey),
            )
          : message.alerts.map((news) => eventOf(config.routingKey, news));
      let last: Sent = { state: 'accepted', answer: 'no incident to open or close' };
      for (const event of events) {
        try {
          last = judgeAnswer(await postJson(config.url, JSON.stringify(event), { signal }), nowMs);
        } catch (error) {
          last = judgeFailure(error, signal);
        }
        if (last.state === 'refused') return last;
      }
      return last;
    },
  };
}
