import type { JobQueue } from './backend.ts';
import { KEEP, manualDeduplicationId, PRIORITY, type ProbeJob, type ProbeResult } from './definitions.ts';

export interface ManualProbe {
  serverId: string;
  jobId: string;
}

const AT_ONCE = 500;

/** Queues a probe of each server ahead of the scheduled ones; one that waits already is joined. */
export async function enqueueManualProbes(
  queue: Pick<JobQueue<ProbeJob, ProbeResult>, 'addBulk'>,
  serverIds: readonly string[],
): Promise<ManualProbe[]> {
  const probes: ManualProbe[] = [];
  for (let from = 0; from < serverIds.length; from += AT_ONCE) {
    const part = serverIds.slice(from, from + AT_ONCE);
    const jobs = await queue.addBulk(
      part.map((serverId) => ({
        name: 'probe',
        data: { serverId, slotMs: null },
        opts: { ...KEEP, priority: PRIORITY.manual, deduplication: { id: manualDeduplicationId(serverId) } },
      })),
    );
    jobs.forEach((job, index) => {
      const serverId = part[index];
      if (serverId === undefined || job.id === undefined)
        throw new Error('the queue gave a job without an id');
      probes.push({ serverId, jobId: job.id });
    });
  }
  return probes;
}
