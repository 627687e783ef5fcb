import { readFile } from 'node:fs/promises';
import { parsePolicy } from '../config/policy-file.ts';
import { SettingsError } from '../config/settings-error.ts';
import { DEFAULT_POLICY, type Policy } from '../core/policy.ts';
import { problemsOf } from '../daemon/settings-file.ts';
import type { ActionContext } from './context.ts';

export async function configuredPolicy(context: ActionContext): Promise<Policy> {
  const file = context.config().files.policy;
  if (file === null) return DEFAULT_POLICY;
  try {
    return parsePolicy(file, await readFile(file, 'utf8'));
  } catch (error) {
    throw new SettingsError(problemsOf(file, error));
  }
}
