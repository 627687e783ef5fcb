import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ask } from './probe/ask.ts';
import type { RoundResult } from './probe/rounds.ts';

/** A ratio below this makes `--guard` fail; the bench itself is expected to show more. */
const GUARD_RATIO = 0.5;

interface Settings {
  probes: number;
  rounds: number;
  concurrency: number;
  origins: number;
}

/** A file of this bench as it runs: compiled, or from its source. */
const beside = (name: string) =>
  fileURLToPath(
    new URL(`./probe/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );

const median = (values: number[]) => [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;
const perSecond = (round: RoundResult) => (round.probes * 1000) / round.wallMs;
const cpuPerProbe = (round: RoundResult) => round.cpuMs / round.probes;

function report(name: string, rounds: RoundResult[]): string {
  const rate = median(rounds.map(perSecond)).toFixed(0).padStart(6);
  const cpu = median(rounds.map(cpuPerProbe)).toFixed(3);
  const peak = Math.max(...rounds.map((round) => round.peakRssMb)).toFixed(0);
  return `${name.padEnd(14)} ${rate} probes/s   ${cpu} ms CPU each   ${peak} MB at most`;
}

async function measure(settings: Settings) {
  const children: ChildProcess[] = [];
  const start = (name: string) => {
    const child = fork(beside(name));
    children.push(child);
    return child;
  };
  try {
    const targets = start('targets');
    const ports = await ask<number[]>(targets, { origins: settings.origins });
    const raw = start('raw-worker');
    const ours = start('prober-worker');
    const round = (child: ChildProcess, probes: number) =>
      ask<RoundResult>(child, { ports, probes, concurrency: settings.concurrency });
    // Compiled code and a grown heap are what a daemon runs with.
    const warmUp = Math.max(settings.probes, 2_000);
    await round(raw, warmUp);
    await round(ours, warmUp);
    const results: { raw: RoundResult[]; ours: RoundResult[] } = { raw: [], ours: [] };
    for (let count = 0; count < settings.rounds; count += 1) {
      // Alternating, and each first in every other round, so that a busy machine is unfair to neither.
      const order = count % 2 === 0 ? (['raw', 'ours'] as const) : (['ours', 'raw'] as const);
      for (const kind of order) results[kind].push(await round(kind === 'raw' ? raw : ours, settings.probes));
    }
    const left = await ask<{ sessions: number }>(targets, { count: 'sessions' });
    return { ...results, sessionsLeft: left.sessions };
  } finally {
    // Each ends itself when it is let go of, also when this process dies.
    for (const child of children) if (child.connected) child.disconnect();
  }
}

/**
 * Full probes per second of one process over many loopback origins, beside plain node:http sending the
 * same five requests. With `--guard` it fails when the ratio of the two has fallen too low.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      probes: { type: 'string' },
      rounds: { type: 'string' },
      concurrency: { type: 'string', default: '64' },
      origins: { type: 'string' },
      guard: { type: 'boolean', default: false },
    },
  });
  const settings: Settings = {
    probes: Number(values.probes ?? (values.guard ? 500 : 1_500)),
    rounds: Number(values.rounds ?? (values.guard ? 7 : 15)),
    concurrency: Number(values.concurrency),
    origins: Number(values.origins ?? (values.guard ? 250 : 1_000)),
  };
  const { raw, ours, sessionsLeft } = await measure(settings);
  const ratio = median(ours.map((round, index) => perSecond(round) / perSecond(raw[index] ?? round)));
  const cpuRatio = median(ours.map(cpuPerProbe)) / median(raw.map(cpuPerProbe));
  if (values.guard) {
    const verdict = ratio < GUARD_RATIO ? 'too slow' : 'ok';
    console.log(`probe bench: ${ratio.toFixed(2)} of raw node:http (at least ${GUARD_RATIO}): ${verdict}`);
    if (ratio < GUARD_RATIO) process.exitCode = 1;
    return;
  }
  console.log(
    `${settings.probes} probes a round, ${settings.rounds} rounds, ${settings.origins} origins, ${settings.concurrency} at once, 10 tools each; medians`,
  );
  console.log(report('raw node:http', raw));
  console.log(report('mcp-vitals', ours));
  console.log(
    `ratio          ${ratio.toFixed(2)} (CPU ${cpuRatio.toFixed(2)} times), sessions left: ${sessionsLeft}`,
  );
}
