import { z } from 'zod';
import { CronError, parseCron } from '../core/maintenance/cron.ts';
import { isTimeZone } from '../core/maintenance/zone-time.ts';
import { DEFAULT_POLICY, type Policy } from '../core/policy.ts';
import { anchorPlace } from '../core/self-check/anchor-place.ts';
import { parseYaml } from './yaml-file.ts';

const { health, latency, slo, incidents, selfCheck, calls } = DEFAULT_POLICY;

const count = z.int().min(1).max(1000);
const share = z.number().min(0).max(1);
const delays = z.array(z.int().min(100).max(3_600_000)).min(1).max(20);
const ms = z
  .int()
  .min(0)
  .max(30 * 86_400_000);

const cronExpression = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    try {
      parseCron(text);
    } catch (error) {
      if (!(error instanceof CronError)) throw error;
      context.addIssue({ code: 'custom', message: `is no cron expression: ${error.message}` });
    }
  });
const anchor = z
  .string()
  .refine((text) => anchorPlace(text) !== null, { message: 'is neither a URL nor host:port' });

const recurringWindow = z.strictObject({
  title: z.string().min(1).max(200),
  cron: cronExpression,
  timeZone: z.string().refine(isTimeZone, { message: 'is no time zone that is known here' }).default('UTC'),
  durationMs: z
    .int()
    .min(60_000)
    .max(7 * 86_400_000),
  services: z.array(z.string()).default(['*']),
  tenants: z.array(z.string()).default([]),
});

/** The policy file: every section and every field may be left out. */
const policySchema = z.strictObject({
  health: z
    .strictObject({
      failuresToDown: count.default(health.failuresToDown),
      successesToUp: count.default(health.successesToUp),
      confirmAfterMs: delays.default([...health.confirmAfterMs]),
      confirmRefusedAfterMs: delays.default([...health.confirmRefusedAfterMs]),
      flapping: z
        .strictObject({
          probes: z.int().min(5).max(60).default(health.flapping.probes),
          startShare: share.default(health.flapping.startShare),
          stopShare: share.default(health.flapping.stopShare),
        })
        .refine((flapping) => flapping.stopShare < flapping.startShare, {
          message: 'stopShare must be below startShare',
        })
        .prefault({}),
    })
    .prefault({}),
  latency: z
    .strictObject({
      coldAfterMs: ms.default(latency.coldAfterMs),
      minSamples: count.default(latency.minSamples),
      slowFactor: z.number().gt(1).max(1000).default(latency.slowFactor),
      slowAtLeastMs: ms.default(latency.slowAtLeastMs),
      slowSlots: count.default(latency.slowSlots),
    })
    .prefault({}),
  slo: z
    .strictObject({
      objective: z.number().gt(0).lt(1).default(slo.objective),
      windowDays: z.int().min(1).max(90).default(slo.windowDays),
      burn: z
        .array(
          z
            .strictObject({ longMs: ms, shortMs: ms, rate: z.number().gt(1).max(10_000) })
            .refine(({ longMs, shortMs }) => shortMs < longMs, { message: 'shortMs must be below longMs' }),
        )
        .default([...slo.burn]),
    })
    .prefault({}),
  incidents: z
    .strictObject({
      withinMs: ms.default(incidents.withinMs),
      minServers: z.int().min(2).max(100_000).default(incidents.minServers),
    })
    .prefault({}),
  selfCheck: z
    .strictObject({
      anchors: z
        .array(anchor)
        .max(20)
        .default([...selfCheck.anchors]),
      dnsName: z.string().nullable().default(selfCheck.dnsName),
      maxLoopLagMs: ms.default(selfCheck.maxLoopLagMs),
      massFailures: z.int().min(2).max(100_000).default(selfCheck.massFailures),
    })
    .prefault({}),
  calls: z
    .strictObject({
      windowMs: ms.default(calls.windowMs),
      minCalls: count.default(calls.minCalls),
      errorShare: share.default(calls.errorShare),
    })
    .prefault({}),
  maintenance: z.array(recurringWindow).max(1000).default([]),
});

/** The policy of a file's text, defaults filled in. Throws FileError with every problem and its line. */
export function parsePolicy(name: string, text: string): Policy {
  return parseYaml(name, text, policySchema);
}
