import { Counter, type Registry } from 'prom-client';
import { SPARE_REASONS, type SpareReason } from '../core/monitor/spare-probe.ts';

/** mcp_probes_skipped_total: slots at which a server was not probed, since its settings said so. */
export function createProbesSkipped(registry: Registry): (reason: SpareReason) => void {
  const counter = new Counter({
    name: 'mcp_probes_skipped_total',
    help: 'Scheduled probes that were left out: for the budget, a server asleep, or its real traffic.',
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const reason of SPARE_REASONS) counter.inc({ reason }, 0);
  return (reason) => counter.inc({ reason });
}
