import { schedule } from 'node-cron';

/** node-cron tells of a run that it left out in lines of its own; ours say it already, where it matters. */
const SILENT = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/** What every replica does for itself each five seconds, or each second, never two runs at once, whatever a run throws. */
export function startPeriodic(
  name: string,
  run: () => Promise<void>,
  onError: (error: unknown) => void,
  everySeconds: 1 | 5 = 5,
): { stop: () => Promise<void> } {
  const task = schedule(`*/${everySeconds} * * * * *`, () => run().catch(onError), {
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
