import type { Logger } from 'pino';
import type { Config } from '../config/types.ts';
import { DEFAULT_LIMITS } from '../mcp/limits.ts';
import { type Children, openChildren } from '../mcp/processes/children.ts';
import { findLimiter } from '../mcp/processes/limits.ts';

/** What the children of stdio servers are held to; ends first what a killed worker left of its own. */
export async function openStdioChildren(
  config: Pick<Config, 'dataDir' | 'stdioAllow'>,
  logger: Logger,
): Promise<Children> {
  const children = await openChildren(config.dataDir, config.stdioAllow);
  if (children.leftovers > 0)
    logger.warn({ processes: children.leftovers }, 'ended what an earlier worker had left of its probes');
  if ((await findLimiter(DEFAULT_LIMITS)) === null)
    logger.info('commands of stdio servers have no limits of memory and time: prlimit is not there');
  return children;
}
