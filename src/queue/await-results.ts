import type { JobEvents } from './backend.ts';
import { type ProbeResult, probeResultSchema } from './definitions.ts';
import type { ManualProbe } from './manual-probes.ts';

export interface ProbeEnd extends ManualProbe {
  result: ProbeResult | null;
  /** Why the job itself failed: a fault of the worker, not of the server. */
  failure: string | null;
}

/**
 * Hears the ends of probe jobs from before they are queued, so that a fast one is not missed.
 * `results` yields them as they come, until all have ended or the signal says stop.
 */
export function collectEnds(events: Pick<JobEvents, 'onEnd'>) {
  const ends = new Map<string, { result: ProbeResult | null; failure: string | null }>();
  let wake = (): void => undefined;
  events.onEnd(({ jobId, result, failure }) => {
    ends.set(jobId, { result: result === undefined ? null : parseResult(result), failure: failure ?? null });
    wake();
  });

  async function* results(probes: readonly ManualProbe[], signal: AbortSignal): AsyncGenerator<ProbeEnd> {
    const open = new Map(probes.map((probe) => [probe.jobId, probe]));
    while (open.size > 0 && !signal.aborted) {
      for (const [jobId, probe] of open) {
        const end = ends.get(jobId);
        if (!end) continue;
        open.delete(jobId);
        yield { ...probe, ...end };
      }
      if (open.size > 0 && ![...open.keys()].some((jobId) => ends.has(jobId))) await nextEnd(signal);
    }
  }

  function nextEnd(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  return { results };
}

/** Redis hands results over as JSON text, PostgreSQL as text or as the value itself. */
function parseResult(value: unknown): ProbeResult | null {
  const parsed = probeResultSchema.safeParse(typeof value === 'string' ? JSON.parse(value) : value);
  return parsed.success ? parsed.data : null;
}
