import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';

/** mcp_outbox_waiting: what is still to be told. */
export function createOutboxWaiting(
  registry: Registry,
): (waiting: { transitions: number; messages: number }) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_outbox_waiting',
    'What is still to be told: transitions that are no message yet, and messages that no channel has accepted.',
    ['stage'],
  );
  return (waiting) =>
    gauge.replace(Object.entries(waiting).map(([stage, value]) => ({ labels: { stage }, value })));
}
