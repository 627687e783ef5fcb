// The product: the prober of a daemon, with its ordinary bounds.
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createProber } from '../../src/mcp/prober.ts';
import { targetOfServer } from '../../src/mcp/target.ts';

export interface BatchRequest {
  good: number[];
  /** None: the good ones alone. */
  hostile: number[];
  /** Whether the good ones have an id that the prober has not met. */
  isFirst: boolean;
}

export interface BatchResult {
  /** How long each good probe took. */
  goodMs: number[];
  cpuMs: number;
  peakRssMb: number;
}

const HOSTILE_TIMEOUT_MS = 2_000;
const prober = createProber({ clientInfo: { name: 'bench', version: '1.0.0' } });

async function probe(
  port: number,
  timeoutMs: number,
  isFirst: boolean,
): Promise<{ ms: number; isGood: boolean }> {
  const row = {
    id: isFirst ? randomUUID() : String(port),
    name: 'bench',
    endpointUrl: `http://127.0.0.1:${port}/mcp`,
    transportType: 'http',
    authType: 'none',
    authConfig: null,
    settings: {},
  };
  const target = targetOfServer(row, { timeoutMs });
  if ('kind' in target) throw new Error(target.message);
  const startedAt = performance.now();
  const outcome = await prober.probe(target);
  return { ms: performance.now() - startedAt, isGood: outcome.fault === null };
}

/** From here on the peak of memory is that of one batch; where the system cannot, it is that of all so far. */
function forgetPeak(): void {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then the peak is told as it is.
  }
}

function peakMb(): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  } catch {
    return process.resourceUsage().maxRSS / 1024;
  }
}

async function runBatch({ good, hostile, isFirst }: BatchRequest): Promise<BatchResult> {
  forgetPeak();
  const cpuBefore = process.cpuUsage();
  const enemies = hostile.map((port) => probe(port, HOSTILE_TIMEOUT_MS, false));
  const friends = await Promise.all(good.map((port) => probe(port, 60_000, isFirst)));
  if (friends.some(({ isGood }) => !isGood)) throw new Error('a good server was not up');
  const { user, system } = process.cpuUsage(cpuBefore);
  await Promise.all(enemies);
  return {
    goodMs: friends.map(({ ms }) => ms),
    cpuMs: (user + system) / 1000,
    peakRssMb: peakMb(),
  };
}

process.once('disconnect', () => process.exit());
process.on('message', (request: BatchRequest) => {
  runBatch(request).then(
    (result) => process.send?.(result),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
