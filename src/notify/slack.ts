import type { SlackConfig } from '../core/alerts/alerts-config.ts';
import { describeMessage } from '../core/alerts/describe-message.ts';
import type { Channel } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';

/** Slack cuts what is longer than 40,000 characters, others refuse it much sooner. */
const LONGEST = 3_500;

/**
 * Three characters steer Slack's markup; without them no text can mention people or hide a link. What is only
 * compatible with it takes Markdown's links and a bare @everyone too: a joiner that is not seen parts them.
 */
const escapeMarkup = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u2060')
    .replaceAll('](', ']\u2060(');

const cut = (text: string): string =>
  text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()} …`;

/** An incoming webhook as Slack has it, and Mattermost, Rocket.Chat, Discord's /slack and others understand. */
export function createSlack(config: SlackConfig): Channel {
  return {
    async send(message, { idempotencyKey, signal, nowMs }) {
      // Text alone: what is only compatible with Slack shows nothing of its blocks.
      const text = `*${escapeMarkup(message.subject)}*\n${escapeMarkup(cut(describeMessage(message)))}`;
      const body = JSON.stringify({ text });
      try {
        const headers = { 'idempotency-key': idempotencyKey };
        return judgeAnswer(await postJson(config.url, body, { headers, signal }), nowMs);
      } catch (error) {
        return judgeFailure(error, signal);
      }
    },
  };
}
