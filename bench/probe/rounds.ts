/** What one worker is asked for. */
export interface RoundRequest {
  ports: number[];
  probes: number;
  concurrency: number;
}

export interface RoundResult {
  probes: number;
  wallMs: number;
  cpuMs: number;
  peakRssMb: number;
}

/** Runs rounds of `probe` for the parent process: each probe at the next origin, `concurrency` at once. */
export function serveRounds(probe: (port: number) => Promise<void>): void {
  process.once('disconnect', () => process.exit());
  process.on('message', (request: RoundRequest) => {
    runRound(request, probe).then(
      (result) => process.send?.(result),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

async function runRound(request: RoundRequest, probe: (port: number) => Promise<void>): Promise<RoundResult> {
  const { ports, probes, concurrency } = request;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < probes) {
      const port = ports[next % ports.length] ?? 0;
      next += 1;
      await probe(port);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { probes, wallMs, cpuMs: (user + system) / 1000, peakRssMb: process.resourceUsage().maxRSS / 1024 };
}
