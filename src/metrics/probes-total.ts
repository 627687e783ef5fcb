import { Counter, type Registry } from 'prom-client';
import type { ProbeRecord } from './probe-record.ts';

/** mcp_probes_total: every finished probe. */
export function createProbesTotal(registry: Registry): (probe: ProbeRecord) => void {
  const counter = new Counter({
    name: 'mcp_probes_total',
    help: 'Finished probes, by transport, verdict and reason.',
    labelNames: ['transport', 'verdict', 'reason'],
    registers: [registry],
  });
  return ({ transport, verdict, reason }) =>
    counter.inc({ transport: transport ?? 'unknown', verdict, reason });
}
