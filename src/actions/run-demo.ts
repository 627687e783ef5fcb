import { once } from 'node:events';
import type { DemoReport } from '../cli/actions.ts';
import { startDemoFleet } from '../demo/start-demo-fleet.ts';
import type { ActionContext } from './context.ts';

/** The demo fleet alone, until the user ends it. */
export async function runDemo(context: ActionContext, report: DemoReport): Promise<void> {
  const fleet = await startDemoFleet({ onProgress: (progress) => report.progress(progress) });
  if ('missing' in fleet) return report.missing(fleet.missing);
  try {
    report.started(
      fleet.servers.map((server) => ({ ...server, expected: fleet.expected[server.id] ?? 'unknown' })),
    );
    if (!context.stop.aborted) await once(context.stop, 'abort');
  } finally {
    await fleet.stop();
  }
}
