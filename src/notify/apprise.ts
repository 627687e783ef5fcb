import type { Severity } from '../core/alerts/alert.ts';
import type { AppriseConfig } from '../core/alerts/alerts-config.ts';
import type { Message } from '../core/alerts/compose-message.ts';
import { describeMessage } from '../core/alerts/describe-message.ts';
import type { Channel } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';

const TYPES: Readonly<Record<Severity, string>> = {
  info: 'info',
  warning: 'warning',
  error: 'failure',
  critical: 'failure',
};

/** Apprise knows four kinds of message: the worst that fires decides, and success is when nothing does. */
function typeOf({ kind, alerts }: Message): string {
  const firing = alerts.filter(({ state }) => state === 'firing').map(({ severity }) => TYPES[severity]);
  if (firing.length > 0) return ['failure', 'warning'].find((type) => firing.includes(type)) ?? 'info';
  return kind === 'alerts' ? 'success' : 'info';
}

/** POST /notify/{key}, or /notify with the services' URLs: the Apprise API passes it on to them. */
export function createApprise(config: AppriseConfig): Channel {
  const base = `${config.url.replace(/\/+$/, '')}/notify`;
  const url = config.key === null ? base : `${base}/${encodeURIComponent(config.key)}`;
  return {
    async send(message, { idempotencyKey, signal, nowMs }) {
      const body = JSON.stringify({
        title: message.subject,
        body: describeMessage(message),
        type: typeOf(message),
        format: 'text',
        ...(config.urls.length > 0 ? { urls: config.urls.join(',') } : {}),
        ...(config.tag === null ? {} : { tag: config.tag }),
      });
      try {
        const headers = { ...config.headers, 'idempotency-key': idempotencyKey };
        const answer = await postJson(url, body, { headers, signal });
        if (answer.status === 204)
          return {
            state: 'refused',
            problem: '204: no service is configured for the key and tag',
            permanent: true,
            retryAfterMs: null,
          };
        // One of the services behind it has failed, which may pass.
        if (answer.status === 424)
          return {
            state: 'refused',
            problem: `424 ${answer.body.slice(0, 200)}`,
            permanent: false,
            retryAfterMs: null,
          };
        return judgeAnswer(answer, nowMs);
      } catch (error) {
        return judgeFailure(error, signal);
      }
    },
  };
}
