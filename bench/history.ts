import { parseArgs } from 'node:util';
import { sql } from 'drizzle-orm';
import type { ServerBucket } from '../src/core/history/fold-checks.ts';
import { bucketOf, mergeBuckets } from '../src/core/history/health-bucket.ts';
import type { Check } from '../src/core/history/judge-check.ts';
import { GRAIN_MS, WEEK_MS } from '../src/core/history/tiers.ts';
import type { Database } from '../src/db/client.ts';
import { readHealthHistory } from '../src/db/queries/health-history.ts';
import { writeBuckets, writeShiftPoints } from '../src/db/queries/tier-rows.ts';
import { percentile, withBenchServers } from './history/open-bench.ts';

const POINTS = 300;
/** In 300 points 90 days are 270, of 8 hours each: the next finer step would be 309. A hundred days are 300 of them. */
const RANGES_DAYS = [90, 100];
const FILLED_DAYS = Math.max(...RANGES_DAYS);
const ASKED = 100;
const CHECKS_A_SHIFT = 96;

export interface HistoryFigures {
  days: number;
  points: number;
  p50Ms: number;
  p95Ms: number;
  /** The same rows, read and not made into points. */
  floorP95Ms: number;
}

/** A shift with a check every five minutes; about one in a hundred of which fails. */
function shiftOf(serverId: string, atMs: number): ServerBucket {
  let bucket = bucketOf(checkOf(serverId, atMs));
  for (let place = 1; place < CHECKS_A_SHIFT; place += 1)
    bucket = mergeBuckets(bucket, bucketOf(checkOf(serverId, atMs)));
  return { serverId, atMs, bucket };
}

function checkOf(serverId: string, atMs: number): Check {
  if (Math.random() < 0.01) return { serverId, atMs, verdict: 'down', reason: 'refused', responseMs: null };
  const responseMs = Math.round(80 * Math.exp(0.4 * (Math.random() + Math.random() + Math.random() - 1.5)));
  return { serverId, atMs, verdict: 'up', reason: 'ok', responseMs };
}

/** Days up to the last one, in the order in which a rollup writes them: one day of all servers after the other. */
async function fillDays(db: Database, ids: readonly string[], lastMs: number): Promise<void> {
  // Some shifts, used again: making millions of checks would be most of the bench.
  const samples = Array.from({ length: 300 }, () => shiftOf('', 0));
  for (let day = FILLED_DAYS; day >= 0; day -= 1) {
    const atMs = lastMs - day * GRAIN_MS.day;
    for (const place of [0, 1, 2]) {
      const shifts = ids.map((serverId): ServerBucket => {
        const { bucket } = samples[Math.floor(Math.random() * samples.length)] ?? shiftOf('', 0);
        return { serverId, atMs: atMs + place * GRAIN_MS.shift, bucket };
      });
      await writeShiftPoints(db, shifts);
      // Of these the reader only wants to know since when there are any.
      await writeBuckets(db, 'shift', shifts.slice(0, ASKED));
    }
  }
  await db.execute(sql`VACUUM ANALYZE vitals.health_shift_week`);
}

/** The history of 100 servers, out of a fleet of these, over some days in 300 points each. */
export async function measureHistory(
  db: Database,
  ids: readonly string[],
  { days, rounds }: { days: number; rounds: number },
): Promise<HistoryFigures> {
  const asked = ids.slice(0, ASKED);
  const toMs = todayMs() + GRAIN_MS.day;
  const fromMs = toMs - days * GRAIN_MS.day;
  const times: number[] = [];
  const floor: number[] = [];
  let points = 0;
  // The first ones plan the statements.
  for (let round = -5; round < rounds; round += 1) {
    const reading = performance.now();
    const history = await readHealthHistory(db, asked, { fromMs, toMs, maxPoints: POINTS });
    const readMs = performance.now() - reading;
    points = Math.max(...history.servers.map((server) => server.points.length));
    const bare = performance.now();
    await db.execute(sql`
      SELECT server_id, string_agg(points, '') AS points FROM vitals.health_shift_week
      WHERE server_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(asked)}::jsonb))
        AND at >= to_timestamp(${fromMs - WEEK_MS}::float8 / 1000) GROUP BY 1`);
    if (round < 0) continue;
    floor.push(performance.now() - bare);
    times.push(readMs);
  }
  return {
    days,
    points,
    p50Ms: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    floorP95Ms: percentile(floor, 0.95),
  };
}

const todayMs = (): number => Math.floor(Date.now() / GRAIN_MS.day) * GRAIN_MS.day;

/** How long it takes to read months of 100 servers in 300 points each, beside reading the same rows bare. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { servers: { type: 'string' }, rounds: { type: 'string' } },
  });
  const servers = Number(values.servers ?? 1_000);
  const rounds = Number(values.rounds ?? 200);
  await withBenchServers(servers, async (db, ids) => {
    await fillDays(db, ids, todayMs());
    for (const days of RANGES_DAYS) {
      const figures = await measureHistory(db, ids, { days, rounds });
      console.log(
        `${ASKED} servers of ${servers}, ${days} days, ${figures.points} points each (of ${POINTS} allowed)`,
      );
      console.log(`history          p50 ${figures.p50Ms.toFixed(1)} ms, p95 ${figures.p95Ms.toFixed(1)} ms`);
      console.log(`the rows, bare   p95 ${figures.floorP95Ms.toFixed(1)} ms`);
    }
  });
}
