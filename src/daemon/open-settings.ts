import type { Logger } from 'pino';
import type { LookUp } from '../config/alerts-file.ts';
import type { Config } from '../config/types.ts';
import { secretsOfAlerts } from '../core/alerts/secrets-of.ts';
import { loadSettingsFiles, type SettingsFiles } from './settings-files.ts';

/** The policy and alerts files; the secrets of the version in force are kept out of the log. */
export function openSettings({
  config,
  logger,
  lookUp = () => undefined,
  addSecret = () => () => undefined,
}: {
  config: Config;
  logger: Logger;
  lookUp?: LookUp | undefined;
  addSecret?: ((value: string) => () => void) | undefined;
}): Promise<SettingsFiles> {
  let forget: (() => void)[] = [];
  return loadSettingsFiles({
    files: config.files,
    lookUp,
    logger,
    onAlerts(alerts) {
      // The new ones first: a secret that stays is never unknown in between.
      const added = secretsOfAlerts(alerts).map(addSecret);
      for (const remove of forget) remove();
      forget = added;
    },
  });
}
