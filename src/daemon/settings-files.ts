import type { Logger } from 'pino';
import { type LookUp, parseAlerts } from '../config/alerts-file.ts';
import { parsePolicy } from '../config/policy-file.ts';
import { SettingsError } from '../config/settings-error.ts';
import { type AlertsConfig, NO_ALERTS } from '../core/alerts/alerts-config.ts';
import { DEFAULT_POLICY, type Policy } from '../core/policy.ts';
import { startPeriodic } from './periodic.ts';
import { openSettingsFile, problemsOf, type SettingsFile } from './settings-file.ts';

/** What may change while the daemon runs; ask for it each time that it is needed. */
export interface SettingsFiles {
  policy(): Policy;
  alerts(): AlertsConfig;
  /** Looks at the files now; `force` also reads those that seem the same. */
  refresh(force?: boolean): Promise<void>;
  /** Looks every five seconds from now on. */
  watch(): { stop: () => Promise<void> };
}

export interface SettingsFilesDeps {
  /** Absolute; null where there is none. */
  files: { policy: string | null; alerts: string | null };
  /** The value of an environment variable that a file names as `env:NAME`. */
  lookUp: LookUp;
  logger: Pick<Logger, 'info' | 'error'>;
  /** Told of each version of the alerts file that is taken, before anybody else has it. */
  onAlerts?: (alerts: AlertsConfig) => void;
}

/** Reads both files; rejects with a SettingsError that names every problem of both. */
export async function loadSettingsFiles(deps: SettingsFilesDeps): Promise<SettingsFiles> {
  const { files, lookUp, logger, onAlerts = () => undefined } = deps;
  const problems: string[] = [];
  const policy = await open(files.policy, parsePolicy, problems);
  const alerts = await open(files.alerts, (name, text) => parseAlerts(name, text, lookUp), problems);
  if (problems.length > 0) throw new SettingsError(problems);
  if (alerts) onAlerts(alerts.value());

  async function refreshOne<Value>(
    file: SettingsFile<Value> | null,
    force: boolean,
    onTaken: (value: Value) => void,
  ): Promise<void> {
    const refreshed = await file?.refresh(force);
    if (!file || !refreshed || refreshed.state === 'unchanged') return;
    if (refreshed.state === 'taken') {
      onTaken(refreshed.value);
      logger.info({ file: file.path }, 'a changed file was taken');
      return;
    }
    const { problems } = refreshed;
    logger.error(
      { file: file.path, problems },
      `a changed file cannot be used, and what was read before stays: ${problems[0] ?? ''}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''}`,
    );
  }

  const refresh = async (force = false): Promise<void> => {
    await refreshOne(policy, force, () => undefined);
    await refreshOne(alerts, force, onAlerts);
  };
  return {
    policy: () => policy?.value() ?? DEFAULT_POLICY,
    alerts: () => alerts?.value() ?? NO_ALERTS,
    refresh,
    watch: () =>
      startPeriodic('settings files', refresh, (error) =>
        logger.error({ err: error }, 'the settings files could not be looked at'),
      ),
  };
}

async function open<Value>(
  path: string | null,
  parse: (name: string, text: string) => Value,
  problems: string[],
): Promise<SettingsFile<Value> | null> {
  if (path === null) return null;
  try {
    return await openSettingsFile(path, parse);
  } catch (error) {
    problems.push(...problemsOf(path, error));
    return null;
  }
}
