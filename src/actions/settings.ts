import type { Actions } from '../cli/actions.ts';
import { listSettings, setSetting } from '../db/queries/settings.ts';
import { type ActionContext, withDatabase } from './context.ts';

/** What `mcp-vitals config …` does. */
export function settingsActions(context: ActionContext): Pick<Actions, 'listSettings' | 'setSetting'> {
  return {
    listSettings: () => withDatabase(context, ({ sql }) => listSettings(sql, context.config().nodeEnv)),
    setSetting: (key, value) => withDatabase(context, ({ sql }) => setSetting(sql, key, value)),
  };
}
