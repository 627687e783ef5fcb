import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Policy } from '../core/policy.ts';
import type { Database } from '../db/client.ts';
import { withoutParameters } from '../db/errors.ts';
import { askBelievedAgain, askUnseenAgain, recordOffline, recordOnline } from '../db/queries/self-check.ts';
import { reachAnchor, resolvesName } from '../mcp/reach-anchor.ts';
import { startLoopLag } from './loop-lag.ts';
import { startPeriodic } from './periodic.ts';
import { createSelfCheck, hasNetwork, type SelfCheck } from './self-check.ts';

export interface RunningSelfCheck {
  isOurs: SelfCheck['isOurs'];
  stop(): Promise<void>;
}

/** This replica's look at itself: what it finds becomes one alert, that ends when it is back. */
export async function startSelfCheck(options: {
  db: Database;
  policy: () => Policy;
  logger: Logger;
}): Promise<RunningSelfCheck> {
  const { db, logger } = options;
  const replica = hostname();
  const lag = startLoopLag();
  const check = createSelfCheck({
    policy: () => options.policy().selfCheck,
    senses: { reachAnchor, resolvesName, loopLagMs: () => lag.worstMs(), networkUp: hasNetwork },
    now: () => performance.now(),
    async onChange({ offline, because }) {
      if (offline) {
        logger.error({ because }, 'this worker is cut off: what it sees is not held against servers');
        await recordOffline(db, replica, because ?? '');
      } else {
        logger.info('this worker is back');
        await recordOnline(db, replica);
      }
    },
    askAgain: ({ offline }, believed) => (offline ? askBelievedAgain(db, believed) : askUnseenAgain(db)),
    onError: (error) =>
      logger.warn({ err: withoutParameters(error) }, 'the self-check could not be recorded'),
  });
  // What an earlier process of this replica left behind is looked at anew.
  await recordOnline(db, replica);
  await askUnseenAgain(db);
  const periodic = startPeriodic(
    'self-check',
    async () => {
      lag.turn();
      await check.turn();
    },
    (error) => logger.warn({ err: withoutParameters(error) }, 'the self-check failed'),
  );
  return {
    isOurs: (probe) => check.isOurs(probe),
    async stop() {
      await periodic.stop();
      lag.stop();
    },
  };
}
