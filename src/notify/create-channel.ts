import type { ChannelConfig } from '../core/alerts/alerts-config.ts';
import { createAlertmanager } from './alertmanager.ts';
import { createApprise } from './apprise.ts';
import type { Channel } from './channel.ts';
import { createEmail } from './email.ts';
import { createPagerduty } from './pagerduty.ts';
import { createSlack } from './slack.ts';
import { createWebhook } from './webhook.ts';

/** The channel that a file describes. It holds no connection between messages. */
export function createChannel(config: ChannelConfig): Channel {
  switch (config.type) {
    case 'webhook':
      return createWebhook(config);
    case 'slack':
      return createSlack(config);
    case 'email':
      return createEmail(config);
    case 'pagerduty':
      return createPagerduty(config);
    case 'alertmanager':
      return createAlertmanager(config);
    case 'apprise':
      return createApprise(config);
  }
}
