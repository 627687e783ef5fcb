import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_PARTS } from './demo-parts.ts';
import type { DemoFleet } from './demo-server.ts';
import { findPackages } from './find-packages.ts';

export type { DemoFleet, DemoServer } from './demo-server.ts';

export interface DemoProgress {
  /** Steps done, of how many. */
  done: number;
  total: number;
}

/** Ends everything at once; a failure of one does not keep the others running. */
async function runCleanups(cleanups: (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(cleanups.splice(0).map((cleanup) => cleanup()));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failed.length > 0) throw new AggregateError(failed, 'parts of the demo fleet did not stop');
}

/**
 * Starts real MCP servers of every kind on free loopback ports. They end with `stop()`, and also when this
 * process is killed. Without the devDependencies nothing is started, and what is missing is named.
 */
export async function startDemoFleet({
  onProgress,
  folder: ownFolder,
}: {
  onProgress?: (progress: DemoProgress) => void;
  /** Where servers may keep files, and which is kept; a temporary one unless told. */
  folder?: string;
} = {}): Promise<DemoFleet | { missing: string[] }> {
  const found = findPackages();
  if ('missing' in found) return found;
  const folder = ownFolder ?? (await mkdtemp(join(tmpdir(), 'mcp-vitals-demo-')));
  await mkdir(folder, { recursive: true });
  const cleanups: (() => Promise<void>)[] = [];
  if (ownFolder === undefined) cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const total = DEMO_PARTS.length;
  let done = 0;
  onProgress?.({ done, total });
  const starts = await Promise.allSettled(
    DEMO_PARTS.map(async (start) => {
      const onStop = (cleanup: () => Promise<void>) => void cleanups.push(cleanup);
      const parts = await start({ programs: found.programs, folder, onStop });
      done += 1;
      onProgress?.({ done, total });
      return parts;
    }),
  );
  const failure = starts.find((result) => result.status === 'rejected');
  if (failure) {
    await runCleanups(cleanups);
    throw failure.reason;
  }
  const parts = starts.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  return {
    servers: parts.map(({ server }) => server),
    expected: Object.fromEntries(parts.map(({ server, expected }) => [server.id, expected])),
    stop: () => runCleanups(cleanups),
  };
}
