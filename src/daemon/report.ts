import type { Logger } from 'pino';
import type { ProbeOutcome } from '../core/outcome.ts';
import type { StoredProbe } from '../db/queries/store.ts';

/** One line a probe at debug, one a status change at info. */
export function logProbe(logger: Logger, stored: StoredProbe, outcome: ProbeOutcome): void {
  const { serverId, name, decision } = stored;
  const { verdict, reason, message } = decision.own;
  const server = { serverId, server: name };
  logger.debug(
    { ...server, verdict, reason, transport: outcome.transport, totalMs: Math.round(outcome.totalMs) },
    'probed',
  );
  if (decision.statusChange) {
    logger.info({ ...server, ...decision.statusChange, verdict, reason, message }, 'status changed');
  }
  if (stored.inventoryProblem !== null) {
    logger.warn({ ...server, problem: stored.inventoryProblem }, 'an inventory could not be stored');
  }
  if (reason === 'internal') logger.error({ ...server, message }, 'a probe failed inside');
}
