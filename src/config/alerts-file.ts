import { z } from 'zod';
import { type AlertsConfig, type Delivering, GROUPINGS, NO_ALERTS } from '../core/alerts/alerts-config.ts';
import { findUnknownChannels } from './alerts-file/channel-names.ts';
import { channelSchema } from './alerts-file/channels.ts';
import { matchSchema } from './alerts-file/match.ts';
import { httpUrl, type LookUp } from './alerts-file/values.ts';
import { parseYaml } from './yaml-file.ts';

export type { LookUp } from './alerts-file/values.ts';

const MINUTE_MS = 60_000;
const { fallback } = NO_ALERTS;

const timing = {
  groupBy: z.enum(GROUPINGS),
  groupWaitMs: z
    .int()
    .min(0)
    .max(60 * MINUTE_MS),
  groupIntervalMs: z
    .int()
    .min(0)
    .max(24 * 60 * MINUTE_MS),
  // Shorter ones are noise to people; a channel that forgets asks for them all the same.
  repeatIntervalMs: z
    .int()
    .min(1_000)
    .max(30 * 24 * 60 * MINUTE_MS),
  sendResolved: z.boolean(),
};

const names = z.array(z.string());

const CHANNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function alertsSchema(lookUp: LookUp) {
  return z.strictObject({
    channels: z
      .record(
        z.string().regex(CHANNEL_NAME, {
          message: 'a channel is called by letters, digits, dots, dashes and underscores',
        }),
        channelSchema(lookUp),
      )
      .default({}),
    default: z
      .strictObject({
        channels: names.default([]),
        groupBy: timing.groupBy.default(fallback.groupBy),
        groupWaitMs: timing.groupWaitMs.default(fallback.groupWaitMs),
        groupIntervalMs: timing.groupIntervalMs.default(fallback.groupIntervalMs),
        repeatIntervalMs: timing.repeatIntervalMs.default(fallback.repeatIntervalMs),
        sendResolved: timing.sendResolved.default(fallback.sendResolved),
      })
      .prefault({}),
    routes: z
      .array(
        z.strictObject({
          match: matchSchema.prefault({}),
          channels: names,
          continue: z.boolean().default(false),
          groupBy: timing.groupBy.optional(),
          groupWaitMs: timing.groupWaitMs.optional(),
          groupIntervalMs: timing.groupIntervalMs.optional(),
          repeatIntervalMs: timing.repeatIntervalMs.optional(),
          sendResolved: timing.sendResolved.optional(),
        }),
      )
      .max(1_000)
      .default([]),
    heartbeat: z
      .strictObject({
        url: httpUrl(lookUp),
        everyMs: z
          .int()
          .min(1_000)
          .max(24 * 60 * MINUTE_MS)
          .default(MINUTE_MS),
        method: z.enum(['GET', 'POST', 'HEAD']).default('GET'),
      })
      .optional(),
  });
}

type AlertsFile = z.output<ReturnType<typeof alertsSchema>>;

function configOf(file: AlertsFile): AlertsConfig {
  return {
    channels: new Map(Object.entries(file.channels)),
    fallback: file.default,
    routes: file.routes.map((route) => ({
      ...withDefaults(route, file.default),
      match: route.match,
      continue: route.continue,
    })),
    heartbeat: file.heartbeat ?? null,
  };
}

/** What a route does not say of its timing is as in `default`. */
function withDefaults(route: AlertsFile['routes'][number], defaults: Delivering): Delivering {
  return {
    channels: route.channels,
    groupBy: route.groupBy ?? defaults.groupBy,
    groupWaitMs: route.groupWaitMs ?? defaults.groupWaitMs,
    groupIntervalMs: route.groupIntervalMs ?? defaults.groupIntervalMs,
    repeatIntervalMs: route.repeatIntervalMs ?? defaults.repeatIntervalMs,
    sendResolved: route.sendResolved ?? defaults.sendResolved,
  };
}

/** Of a key that a record does not take, why it does not. */
function reasonOf(issue: z.core.$ZodIssue): string {
  const inner = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
  return inner?.message ?? issue.message;
}

/**
 * The alerts file's text, defaults filled in and `env:NAME` replaced by what `lookUp` gives. Throws
 * FileError with every problem and its line; no value of a secret is in it.
 */
export function parseAlerts(name: string, text: string, lookUp: LookUp): AlertsConfig {
  const schema = alertsSchema(lookUp);
  // In one go, so that an unknown channel is told beside all other problems and not only after them.
  const whole = z.unknown().transform((value, context) => {
    const parsed = schema.safeParse(value);
    const unknown = findUnknownChannels(value);
    for (const issue of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: [...issue.path], message: reasonOf(issue) });
    for (const { path, message } of unknown) context.addIssue({ code: 'custom', path, message });
    return parsed.success && unknown.length === 0 ? configOf(parsed.data) : z.NEVER;
  });
  return parseYaml(name, text, whole);
}
