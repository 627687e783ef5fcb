import { Counter, type Registry } from 'prom-client';

/** mcp_notifications_total: every attempt at a message that has ended. */
export function createNotificationsTotal(registry: Registry): (channelType: string, result: string) => void {
  const counter = new Counter({
    name: 'mcp_notifications_total',
    help: 'Attempts at notifications by type of channel: accepted, refused (and tried again) or given_up.',
    labelNames: ['channel_type', 'result'],
    registers: [registry],
  });
  return (channelType, result) => counter.inc({ channel_type: channelType, result });
}
