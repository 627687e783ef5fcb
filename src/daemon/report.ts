import type { Logger } from 'pino';
import type { ProbeOutcome } from '../core/outcome.ts';
import type { StoredProbe } from '../db/queries/store.ts';

/** Servers whose certificates are not verified, told once in the life of a process each. */
const toldUnverified = new Set<string>();

/** One line a probe at debug, one a status change at info. */
export function logProbe(logger: Logger, stored: StoredProbe, outcome: ProbeOutcome): void {
  const { serverId, name, decision } = stored;
  const { verdict, reason, message } = decision.own;
  const server = { serverId, server: name };
  logger.debug(
    { ...server, verdict, reason, transport: outcome.transport, totalMs: Math.round(outcome.totalMs) },
    'probed',
  );
  if (outcome.warnings.some(({ code }) => code === 'tls_not_verified') && !toldUnverified.has(serverId)) {
    toldUnverified.add(serverId);
    logger.warn(server, 'its certificate is not verified: auth_config.custom.tls.insecure is set');
  }
  if (decision.statusChange) {
    logger.info({ ...server, ...decision.statusChange, verdict, reason, message }, 'status changed');
  }
  if (stored.inventoryProblem !== null) {
    logger.warn({ ...server, problem: stored.inventoryProblem }, 'an inventory could not be stored');
  }
  if (reason === 'internal') logger.error({ ...server, message }, 'a probe failed inside');
}
