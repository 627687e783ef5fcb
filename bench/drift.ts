import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Definition, faultOutcome, type ProbeOutcome } from '../src/core/outcome.ts';
import type { Database } from '../src/db/client.ts';
import { createInventoryPreparer } from '../src/db/queries/prepare-inventory.ts';
import { startRun } from '../src/db/queries/run.ts';
import { createProbeStore } from '../src/db/queries/store.ts';
import { scheduleServers } from '../src/db/queries/sweep.ts';
import { ListingDigest } from '../src/mcp/listing-digest.ts';
import { withBenchServers } from './history/open-bench.ts';

/** An unchanged inventory may cost this share of parsing its bytes at most; it is expected to cost less. */
const GUARD_RATIO = 0.5;
const TOOLS = 50;
const AT_ONCE = 64;

const median = (values: number[]) => [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;

function toolOf(server: number, place: number, version: number): Definition {
  return {
    name: `tool_${place}`,
    description: `Looks something up for server ${server}, and returns what it found as text (version ${version}).`,
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'what to look for' },
        limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
        sort: { enum: ['newest', 'oldest'] },
      },
      required: ['query'],
    },
  };
}

/** What a probe brought; of a later version one tool is another. */
function outcomeOf(server: number, version: number): { outcome: ProbeOutcome; text: string } {
  const tools = Array.from({ length: TOOLS }, (_, place) => toolOf(server, place, place === 0 ? version : 0));
  const text = JSON.stringify({ jsonrpc: '2.0', id: 2, result: { tools } });
  const outcome: ProbeOutcome = {
    ...faultOutcome({ kind: 'internal', message: '' }, 'http'),
    era: 'handshake',
    protocolVersion: '2025-11-25',
    serverInfo: { name: `server ${server}`, version: '1.0.0' },
    capabilities: { tools: {} },
    inventory: { tools, resources: [], resourceTemplates: [], prompts: [] },
    listingDigest: digestOf(text),
    totalMs: 10,
    fault: null,
    footprint: { sessionsOpened: 1, sessionsClosed: 1 },
  };
  return { outcome, text };
}

function digestOf(text: string): string | null {
  const digest = new ListingDigest();
  digest.add('tools', text);
  return digest.end();
}

/** Snapshots a second through the store, with everything that a daemon does for each. */
async function measureSnapshots(db: Database, servers: number, version: number): Promise<number> {
  const store = createProbeStore(db);
  const ids = Array.from({ length: servers }, (_, place) => `bench-${place}`);
  const tokens = new Map<string, string>();
  for (const serverId of ids) {
    const token = randomUUID();
    tokens.set(serverId, token);
    await startRun(db, { serverId, slotMs: null, token, budgetMsOf: () => 3_600_000, perHost: 1 });
  }
  const startedAt = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < servers) {
      const place = next;
      next += 1;
      const serverId = ids[place] ?? '';
      const stored = await store.save({
        serverId,
        token: tokens.get(serverId) ?? '',
        hostKey: serverId,
        slotMs: null,
        checkedAt: new Date(),
        outcome: outcomeOf(place, version).outcome,
      });
      if (stored?.inventoryProblem !== null) throw new Error(stored?.inventoryProblem ?? 'it was not stored');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return (servers * 1000) / (performance.now() - startedAt);
}

/** What an inventory costs that did not change, beside JSON.parse of the bytes that brought it. */
async function measureUnchanged(
  db: Database,
  rounds: number,
): Promise<{ parseMs: number; unchangedMs: number }> {
  const inventories = createInventoryPreparer(db);
  const { outcome, text } = outcomeOf(0, 1);
  const probe = { serverId: 'bench-0', outcome, checkedAt: new Date() };
  inventories.settle('bench-0', await inventories.prepare(probe));
  const times = 200;
  const results: { parseMs: number; unchangedMs: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const parsing = performance.now();
    for (let time = 0; time < times; time += 1) JSON.parse(text);
    const parseMs = (performance.now() - parsing) / times;
    const comparing = performance.now();
    for (let time = 0; time < times; time += 1) {
      const prepared = await inventories.prepare({
        ...probe,
        outcome: { ...outcome, listingDigest: digestOf(text) },
      });
      if (prepared?.write !== null || prepared.problem !== null)
        throw new Error('it was found to have changed');
    }
    results.push({ parseMs, unchangedMs: (performance.now() - comparing) / times });
  }
  return {
    parseMs: median(results.map(({ parseMs }) => parseMs)),
    unchangedMs: median(results.map(({ unchangedMs }) => unchangedMs)),
  };
}

/**
 * Snapshots a second, first ones and changed ones, of servers of 50 tools; and the cost of an inventory that
 * did not change, as a share of JSON.parse of the same bytes in the same run. With `--guard` it fails when
 * that share is too high. DATABASE_URL names the database; otherwise it is an embedded one of its own.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      servers: { type: 'string' },
      rounds: { type: 'string' },
      guard: { type: 'boolean', default: false },
    },
  });
  const servers = Number(values.servers ?? (values.guard ? 20 : 1_000));
  await withBenchServers(servers, async (db, ids) => {
    await scheduleServers(
      db,
      ids.map((id) => ({ serverId: id, hostKey: id, nextProbeMs: Date.now() + 3_600_000 })),
    );
    const first = await measureSnapshots(db, servers, 0);
    const changed = await measureSnapshots(db, servers, 1);
    const { parseMs, unchangedMs } = await measureUnchanged(db, Number(values.rounds ?? 15));
    const ratio = unchangedMs / parseMs;
    if (values.guard) {
      const verdict = ratio > GUARD_RATIO ? 'too slow' : 'ok';
      console.log(
        `drift bench: an unchanged inventory costs ${ratio.toFixed(2)} of JSON.parse (at most ${GUARD_RATIO}): ${verdict}`,
      );
      if (ratio > GUARD_RATIO) process.exitCode = 1;
      return;
    }
    const bytes = outcomeOf(0, 1).text.length;
    console.log(`${servers} servers of ${TOOLS} tools (${bytes} bytes each), ${AT_ONCE} at once`);
    console.log(`first snapshots      ${first.toFixed(0).padStart(6)} a second`);
    console.log(`changed, one tool    ${changed.toFixed(0).padStart(6)} a second`);
    console.log(
      `unchanged            ${(unchangedMs * 1000).toFixed(1)} µs each, ${ratio.toFixed(2)} of JSON.parse of the same bytes (${(parseMs * 1000).toFixed(1)} µs)`,
    );
  });
}
