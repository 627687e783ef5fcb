import { Gauge, type Registry } from 'prom-client';
import type { ProbeRecord } from './probe-record.ts';

/** mcp_probe_sessions_open: what finished probes left behind on their targets; it has to stay 0. */
export function createSessionsOpen(registry: Registry): (probe: ProbeRecord) => void {
  const gauge = new Gauge({
    name: 'mcp_probe_sessions_open',
    help: 'Sessions that targets opened for finished probes and that were not ended: opened minus closed.',
    registers: [registry],
  });
  return ({ footprint }) => {
    const left = footprint.sessionsOpened - footprint.sessionsClosed;
    if (left !== 0) gauge.inc(left);
  };
}
