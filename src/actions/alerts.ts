import { randomUUID } from 'node:crypto';
import type { AlertSummary, ChannelTest, FileCheck } from '../cli/actions.ts';
import { UsageError } from '../cli/cli-io.ts';
import { parseAlerts } from '../config/alerts-file.ts';
import { parsePolicy } from '../config/policy-file.ts';
import { SettingsError } from '../config/settings-error.ts';
import { composeTest } from '../core/alerts/compose-message.ts';
import { redactSecrets, secretsOfChannel } from '../core/alerts/secrets-of.ts';
import { openSettingsFile, problemsOf } from '../daemon/settings-file.ts';
import { readAlerts } from '../db/queries/alert-list.ts';
import { createChannel } from '../notify/create-channel.ts';
import { type ActionContext, withDatabase } from './context.ts';

/** What a file says; throws a SettingsError with every problem. */
async function read<Value>(path: string, parse: (name: string, text: string) => Value): Promise<Value> {
  try {
    return (await openSettingsFile(path, parse)).value();
  } catch (error) {
    throw new SettingsError(problemsOf(path, error));
  }
}

export async function checkAlertsFile({ lookUp }: ActionContext, path: string): Promise<FileCheck> {
  const { channels, routes } = await read(path, (name, text) => parseAlerts(name, text, lookUp));
  return { channels: channels.size, routes: routes.length };
}

export async function checkPolicyFile(path: string): Promise<{ windows: number }> {
  return { windows: (await read(path, parsePolicy)).maintenance.length };
}

/** Sends a test through the channel as the daemon would. */
export async function testChannel(
  context: ActionContext,
  { channel, file }: { channel: string; file: string | null },
): Promise<ChannelTest> {
  const path = file ?? context.config().files.alerts;
  if (path === null) throw new UsageError('say which file: --file, or VITALS_ALERTS_FILE');
  const { channels } = await read(path, (name, text) => parseAlerts(name, text, context.lookUp));
  const config = channels.get(channel);
  if (!config) {
    const known = [...channels.keys()].join(', ');
    throw new UsageError(`${path} has no channel ${channel}${known === '' ? '' : `; it has ${known}`}`);
  }
  const signal = AbortSignal.any([context.stop, AbortSignal.timeout(config.timeoutMs)]);
  const about = { channel, type: config.type };
  try {
    const nowMs = Date.now();
    const attempt = { idempotencyKey: randomUUID(), signal, nowMs };
    const sent = await createChannel(config).send(composeTest(channel, nowMs), attempt);
    const said = sent.state === 'accepted' ? sent.answer : sent.problem;
    return {
      ...about,
      accepted: sent.state === 'accepted',
      said: redactSecrets(said, secretsOfChannel(config)),
    };
  } catch (error) {
    if (!signal.aborted || context.stop.aborted) throw error;
    return { ...about, accepted: false, said: `no answer within ${config.timeoutMs} ms` };
  }
}

const MOST_LISTED = 1_000;

export function listAlerts(context: ActionContext, { all }: { all: boolean }): Promise<AlertSummary[]> {
  const isoOf = (ms: number): string => new Date(ms).toISOString();
  return withDatabase(context, async ({ db }) =>
    (await readAlerts(db, { all, limit: MOST_LISTED })).map(
      ({ startedAtMs, resolvedAtMs, told, ...alert }) => ({
        ...alert,
        startedAt: isoOf(startedAtMs),
        resolvedAt: resolvedAtMs === null ? null : isoOf(resolvedAtMs),
        told: told.map(({ channel, state, atMs }) => ({ channel, state, at: isoOf(atMs) })),
      }),
    ),
  );
}
