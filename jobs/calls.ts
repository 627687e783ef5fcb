import type { CallsPolicy } from '../src/core/policy.ts';
import type { Database } from '../src/db/client.ts';
import { hurryFailing } from '../src/db/queries/calls.ts';
import { recordJobRun } from '../src/db/queries/job-run.ts';

export interface CallsDeps {
  db: Database;
  /** As it is now: it may be read anew while the daemon runs. */
  policy: () => CallsPolicy;
  /** Told which servers are probed out of turn. */
  onHurried: (serverIds: string[]) => void;
}

/** Looks at the real calls of the last minutes, and has those servers probed at once of which they tell something new. */
export async function runCalls(deps: CallsDeps): Promise<{ hurried: number }> {
  const startedAt = new Date();
  const hurried = await hurryFailing(deps.db, deps.policy());
  if (hurried.length > 0) deps.onHurried(hurried);
  const result = { hurried: hurried.length };
  await recordJobRun(deps.db, 'calls', startedAt, result);
  return result;
}
