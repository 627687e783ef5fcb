import { schedule } from 'node-cron';

/** node-cron tells of a run that it left out in lines of its own; ours say it already, where it matters. */
const SILENT = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** What every replica does for itself each five seconds, never two runs at once, whatever a run throws. */
export function startPeriodic(
  name: string,
  run: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  const task = schedule('*/5 * * * * *', () => run().catch(onError), {
    noOverlap: true,
    name,
    logger: SILENT,
  });
  return {
    async stop() {
      await task.destroy();
    },
  };
}
