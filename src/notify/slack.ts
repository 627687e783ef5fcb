import type { SlackConfig } from '../core/alerts/alerts-config.ts';
import { describeMessage } from '../core/alerts/describe-message.ts';
import type { Channel } from './channel.ts';
import { judgeAnswer, judgeFailure } from './judge-answer.ts';
import { postJson } from './send-request.ts';

/** Of a text block; what is longer is refused as a whole. */
const LONGEST_BLOCK = 2_900;

/** Three characters steer Slack's markup; without them no text can mention people or hide a link. */
const escapeMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const cut = (text: string): string =>
  text.length <= LONGEST_BLOCK ? text : `${text.slice(0, LONGEST_BLOCK).toWellFormed()} …`;

/** An incoming webhook as Slack has it, and Mattermost, Rocket.Chat, Discord's /slack and others understand. */
export function createSlack(config: SlackConfig): Channel {
  return {
    async send(message, { idempotencyKey, signal, nowMs }) {
      const text = escapeMarkup(cut(describeMessage(message)));
      const body = JSON.stringify({
        text: escapeMarkup(message.subject),
        blocks: [
          { type: 'section', text: { type: 'mrkdwn', text: `*${escapeMarkup(message.subject)}*` } },
          { type: 'section', text: { type: 'mrkdwn', text: cut(text) } },
        ],
      });
      try {
        const headers = { 'idempotency-key': idempotencyKey };
        return judgeAnswer(await postJson(config.url, body, { headers, signal }), nowMs);
      } catch (error) {
        return judgeFailure(error, signal);
      }
    },
  };
}
