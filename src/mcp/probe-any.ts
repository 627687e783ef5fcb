import type { Fault, ProbeOutcome } from '../core/outcome.ts';
import type { ProbeTarget } from '../core/target.ts';
import type { ProbeRequest } from './probe-request.ts';
import type { Prober } from './prober.ts';

/** A second try needs some time to say anything at all. */
const MIN_SECOND_TRY_MS = 200;

/** Statuses that say something about the server behind, whatever transport it has. */
const SAME_IN_BOTH = new Set([401, 403, 408, 429]);

/** Whether a streamable HTTP probe failed as it does at a server of the older HTTP+SSE transport. */
function looksLikeSse(fault: Fault): boolean {
  if (fault.kind === 'http')
    return fault.status >= 400 && fault.status < 500 && !SAME_IN_BOTH.has(fault.status);
  return fault.kind === 'notMcp' || (fault.kind === 'protocol' && fault.phase === 'handshake');
}

/** Whether an SSE probe found that there is no event stream either. */
function isNoSse(fault: Fault): boolean {
  if (fault.kind === 'http') return !SAME_IN_BOTH.has(fault.status);
  return fault.kind === 'notMcp' || (fault.kind === 'timeout' && fault.phase === 'handshake');
}

/**
 * Probes a URL whose transport nobody named: streamable HTTP first, then SSE when the answer is that of
 * an SSE server, both within the target's one deadline. Other targets are probed as they are.
 */
export async function probeAny(
  prober: Prober,
  target: ProbeTarget,
  request: ProbeRequest = {},
): Promise<ProbeOutcome> {
  const first = await prober.probe(target, request);
  if (target.endpoint.transport !== 'http' || !first.fault || !looksLikeSse(first.fault)) return first;
  const leftMs = target.timeoutMs - first.totalMs;
  if (leftMs < MIN_SECOND_TRY_MS) return first;
  const endpoint = { transport: 'sse' as const, url: target.endpoint.url };
  const second = await prober.probe({ ...target, endpoint, timeoutMs: leftMs }, request);
  const told = second.fault && isNoSse(second.fault) ? first : second;
  return {
    ...told,
    totalMs: first.totalMs + second.totalMs,
    bytes: {
      sent: first.bytes.sent + second.bytes.sent,
      received: first.bytes.received + second.bytes.received,
    },
    footprint: {
      sessionsOpened: first.footprint.sessionsOpened + second.footprint.sessionsOpened,
      sessionsClosed: first.footprint.sessionsClosed + second.footprint.sessionsClosed,
    },
  };
}
