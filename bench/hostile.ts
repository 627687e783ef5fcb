import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { TargetsAnswer } from './hostile/targets.ts';
import type { BatchResult } from './hostile/worker.ts';
import { ask } from './probe/ask.ts';

/** A ratio above this makes `--guard` fail; a quiet machine is expected to show less. */
const GUARD_RATIO = 1.6;

const DEFAULT_KINDS = [
  { tools: 10, isFirst: false },
  { tools: 3_000, isFirst: false },
  { tools: 3_000, isFirst: true },
];

const LOWEST_PRIORITY = 19;

interface Settings {
  count: number;
  rounds: number;
  latencyMs: number;
  tools: number;
  /** No good server has been probed before. */
  isFirst: boolean;
}

/** A file of this bench as it runs: compiled, or from its source. */
const beside = (name: string) =>
  fileURLToPath(
    new URL(`./hostile/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
const sorted = (values: number[]) => [...values].sort((one, other) => one - other);
const median = (values: number[]) => sorted(values)[values.length >> 1] ?? 0;
const p95 = (values: number[]) => sorted(values)[Math.ceil(values.length * 0.95) - 1] ?? 0;

async function measure({ count, rounds, latencyMs, tools, isFirst }: Settings) {
  const children: ChildProcess[] = [];
  const start = (name: string) => {
    // Each batch begins with what the ones before have really left.
    const child = fork(beside(name), { execArgv: [...process.execArgv, '--expose-gc'] });
    children.push(child);
    return child;
  };
  try {
    const [goodServers, hostileServers, worker] = [start('targets'), start('targets'), start('worker')];
    // Hostile servers are elsewhere: what they do to send so much must cost neither the prober nor the good
    // servers a processor, or the machine's few would be measured. What they send still comes as fast as it is read.
    if (hostileServers.pid !== undefined) setPriority(hostileServers.pid, LOWEST_PRIORITY);
    const [good, hostile] = await Promise.all([
      ask<TargetsAnswer>(goodServers, { kind: 'good', count, latencyMs, tools }),
      ask<TargetsAnswer>(hostileServers, { kind: 'hostile', count, latencyMs, tools }),
    ]);
    const batch = (withHostile: boolean) =>
      ask<BatchResult>(worker, { good, hostile: withHostile ? hostile : [], isFirst });
    // Compiled code and a grown heap are what a daemon runs with, and it has probed its servers before.
    for (const withHostile of [false, true, false, true]) await batch(withHostile);
    const alone: BatchResult[] = [];
    const mixed: BatchResult[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Alternating, so that a busy machine is unfair to neither.
      alone.push(await batch(false));
      mixed.push(await batch(true));
    }
    return { alone, mixed };
  } finally {
    // Each ends itself when it is let go of, also when this process dies.
    for (const child of children) if (child.connected) child.disconnect();
  }
}

function report(name: string, batches: BatchResult[]): string {
  const ms = median(batches.map(({ goodMs }) => p95(goodMs))).toFixed(0);
  const cpu = median(batches.map(({ cpuMs }) => cpuMs)).toFixed(0);
  const peak = Math.max(...batches.map(({ peakRssMb }) => peakRssMb)).toFixed(0);
  return `${name.padEnd(14)} p95 ${ms.padStart(5)} ms   ${cpu.padStart(5)} ms CPU   ${peak} MB at most`;
}

const describe = ({ tools, isFirst }: Settings) =>
  `${tools} tools${isFirst ? ', each probed for the first time' : ''}`;

/** Measures one kind of good servers, and tells it; gives the ratio. */
async function runOne(settings: Settings, isGuard: boolean): Promise<number> {
  const { alone, mixed } = await measure(settings);
  const ratio = median(mixed.map(({ goodMs }, index) => p95(goodMs) / p95(alone[index]?.goodMs ?? goodMs)));
  if (isGuard) return ratio;
  console.log(`\n${describe(settings)}`);
  console.log(report('alone', alone));
  console.log(report('with hostile', mixed));
  console.log(`ratio          ${ratio.toFixed(2)}`);
  return ratio;
}

/**
 * How much good probes are slowed by as many hostile ones that begin with them, as the ratio of their p95: those of
 * servers with few tools and of servers with many, and of many that no probe has met before.
 * The good servers answer as late as one that is not on this machine.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      probes: { type: 'string', default: '64' },
      rounds: { type: 'string' },
      latency: { type: 'string', default: '50' },
      tools: { type: 'string' },
      first: { type: 'boolean', default: false },
      guard: { type: 'boolean', default: false },
    },
  });
  const common = {
    count: Number(values.probes),
    rounds: Number(values.rounds ?? (values.guard ? 3 : 10)),
    latencyMs: Number(values.latency),
  };
  const kinds =
    values.tools === undefined
      ? // What no probe has met before is slowed more, and for a guard the others are enough.
        DEFAULT_KINDS.filter(({ isFirst }) => (values.guard ? !isFirst : isFirst || !values.first))
      : [{ tools: Number(values.tools), isFirst: values.first }];
  if (!values.guard) {
    const { count, rounds, latencyMs } = common;
    console.log(
      `${count} good probes at once, ${latencyMs} ms each answer, without and with ${count} hostile ones; medians of ${rounds} rounds`,
    );
  }
  for (const kind of kinds) {
    const settings = { ...common, ...kind };
    const ratio = await runOne(settings, values.guard);
    if (!values.guard) continue;
    const isSlow = ratio > GUARD_RATIO;
    console.log(
      `hostile bench: good probes of ${describe(settings)} take ${ratio.toFixed(2)} times as long (at most ${GUARD_RATIO}): ${isSlow ? 'too slow' : 'ok'}`,
    );
    if (isSlow) process.exitCode = 1;
  }
}
