import { DelayedError } from 'bullmq';
import type { Logger } from 'pino';
import { withoutParameters } from '../db/errors.ts';

/** Tells a job's failure, without what its queries were about, and passes it on to the queue. */
export const failJob =
  (logger: Pick<Logger, 'error'>, job: string) =>
  (error: unknown): never => {
    // How BullMQ is told that a job was put off: no failure.
    if (error instanceof DelayedError) throw error;
    const told = withoutParameters(error);
    logger.error({ err: told, job }, 'a job failed');
    throw told;
  };
