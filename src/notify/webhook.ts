import type { WebhookConfig } from '../core/alerts/alerts-config.ts';
import type { Channel } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';
import { signBody } from './sign.ts';

/** The message as it is, in JSON, signed. See docs/alerts.md for its shape. */
export function createWebhook(config: WebhookConfig): Channel {
  return {
    async send(message, { idempotencyKey, signal, nowMs }) {
      const body = JSON.stringify({ id: idempotencyKey, ...message });
      // Of the attempt, not of the message: one that is tried for an hour must still be fresh when it is taken.
      const timestamp = String(Math.floor(nowMs / 1000));
      const headers = {
        ...config.headers,
        'idempotency-key': idempotencyKey,
        'x-vitals-timestamp': timestamp,
        ...(config.secret === null ? {} : { 'x-vitals-signature': signBody(config.secret, timestamp, body) }),
      };
      try {
        return judgeAnswer(await postJson(config.url, body, { headers, signal }), nowMs);
      } catch (error) {
        return judgeFailure(error, signal);
      }
    },
  };
}
