import { z } from 'zod';

/** The queues: a name may not hold ':'. */
export const QUEUES = {
  sweep: 'vitals-sweep',
  probe: 'vitals-probe',
  around: 'vitals-around',
  tidy: 'vitals-tidy',
  calls: 'vitals-calls',
  storage: 'vitals-storage',
  healthRollup: 'vitals-health-rollup',
  usage: 'vitals-usage',
  notify: 'vitals-notify',
  deliver: 'vitals-deliver',
} as const;

/**
 * One probe of one server at one slot. Only ids travel: what a probe needs it reads when it runs, so
 * that no secret is ever in a job, and a late job sees the registry as it is then.
 */
export const probeJobSchema = z.object({
  serverId: z.string(),
  /** The planned time, in milliseconds since 1970; null for one that a person asked for. */
  slotMs: z.number().int().nullable(),
});
export type ProbeJob = z.infer<typeof probeJobSchema>;

/** What a probe job returns, for whoever looks at the queue: the result itself is in the database. */
export interface ProbeResult {
  state: 'stored' | 'skipped';
  verdict?: string;
  reason?: string;
}

/** BullMQ serves the lowest number first. */
export const PRIORITY = { manual: 1, firstCheck: 2, scheduled: 10 } as const;

/** An id that no transport's rules can object to: job ids may not hold ':' nor be integers. */
function safeId(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** The same server and slot give the same job, however often a sweep adds it. */
export function slotJobId(serverId: string, slotMs: number): string {
  return `slot-${safeId(serverId)}-${slotMs}`;
}

/** One manual probe waits for a server at a time: asking again joins it. */
export function manualDeduplicationId(serverId: string): string {
  return `manual-${safeId(serverId)}`;
}

export const KEEP = {
  removeOnComplete: { age: 600, count: 1000 },
  removeOnFail: { age: 86_400, count: 1000 },
} as const;

/** `kick`: somebody knows of a change, and does not want to wait for the next tick. */
export interface NotifyJob {
  kick: boolean;
}
export interface NotifyResult {
  /** Messages put on the list. */
  planned: number;
  /** Channels that have something to be sent. */
  channels: number;
}

/** Sends what is due to one channel; its messages and secrets are read when it runs. */
export const deliverJobSchema = z.object({ channel: z.string() });
export type DeliverJob = z.infer<typeof deliverJobSchema>;
export interface DeliverResult {
  attempts: number;
}

/** Two ticks of one moment make one job for a channel. */
export function deliverJobId(channel: string, nowMs: number): string {
  return `deliver-${safeId(channel)}-${nowMs}`;
}
