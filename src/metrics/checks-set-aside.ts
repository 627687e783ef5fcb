import { Counter, type Registry } from 'prom-client';
import { SET_ASIDE, type SetAside } from '../core/history/judge-check.ts';

/** mcp_health_checks_set_aside_total: rows that history does not count, since they cannot be true. */
export function createChecksSetAside(
  registry: Registry,
): (counts: Readonly<Record<SetAside, number>>) => void {
  const counter = new Counter({
    name: 'mcp_health_checks_set_aside_total',
    help: 'Health checks that history does not count: their time or their response time is impossible.',
    labelNames: ['why'],
    registers: [registry],
  });
  for (const why of SET_ASIDE) counter.inc({ why }, 0);
  return (counts) => {
    for (const why of SET_ASIDE) counter.inc({ why }, counts[why]);
  };
}
