import { Histogram, type Registry } from 'prom-client';
import { PHASES, type Phase } from '../core/outcome.ts';
import type { ProbeRecord } from './probe-record.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const PHASE_LABEL: Record<Phase, string> = {
  dns: 'dns',
  connect: 'connect',
  tls: 'tls',
  spawn: 'spawn',
  firstByte: 'first_byte',
  auth: 'auth',
  handshake: 'handshake',
  ping: 'ping',
  list: 'list',
  canary: 'canary',
  close: 'close',
};

/** mcp_probe_duration_seconds: how long each phase took, and the whole. */
export function createProbeDuration(registry: Registry): (probe: ProbeRecord) => void {
  const histogram = new Histogram({
    name: 'mcp_probe_duration_seconds',
    help: 'How long the phases of probes took, and whole probes (phase total).',
    labelNames: ['transport', 'phase'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return ({ transport, phases, totalMs }) => {
    const label = transport ?? 'unknown';
    for (const phase of PHASES) {
      const ms = phases[phase];
      if (ms !== undefined) histogram.observe({ transport: label, phase: PHASE_LABEL[phase] }, ms / 1000);
    }
    histogram.observe({ transport: label, phase: 'total' }, totalMs / 1000);
  };
}
