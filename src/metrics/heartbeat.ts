import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';

/** mcp_heartbeat_last_success_timestamp_seconds: absent until the first heartbeat was taken. */
export function createHeartbeatGauge(registry: Registry): (atMs: number) => void {
  const gauge = new FleetGauge<never>(
    registry,
    'mcp_heartbeat_last_success_timestamp_seconds',
    'When the receiver of the heartbeat took one of this process last.',
    [],
  );
  return (atMs) => gauge.replace([{ labels: {}, value: atMs / 1000 }]);
}
