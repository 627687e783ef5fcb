import type { Pin, PinChange } from '../cli/actions.ts';
import { judgePin } from '../core/drift/decide-drift.ts';
import type { Database } from '../db/client.ts';
import { readUsage } from '../db/queries/drift.ts';
import { type PinRow, readPins, removePin, writePin } from '../db/queries/pins.ts';
import { readChangeAt } from '../db/queries/timeline.ts';
import { compareChanges, findByHash } from './compare-changes.ts';
import { type ActionContext, withDatabase } from './context.ts';
import { findServer } from './find-server.ts';

function describePin({ serverId, serverName, hash, pinnedMs, currentHash, brokenMs }: PinRow): Pin {
  return {
    serverId,
    serverName,
    hash,
    pinnedAt: new Date(pinnedMs).toISOString(),
    currentHash,
    brokenSince: brokenMs === null ? null : new Date(brokenMs).toISOString(),
  };
}

/** A server's pin; null when it has none. */
export async function pinOf(db: Database, serverId: string): Promise<Pin | null> {
  const [row] = await readPins(db, serverId);
  return row ? describePin(row) : null;
}

/** All pins, or one server's; null when there is no such server. */
export function listPins(context: ActionContext, idOrName: string | null): Promise<Pin[] | null> {
  return withDatabase(context, async ({ db }) => {
    const server = idOrName === null ? null : await findServer(db, idOrName);
    if (idOrName !== null && !server) return null;
    return (await readPins(db, server?.id ?? null)).map(describePin);
  });
}

/** Holds a server to the inventory that it has now, or to the one that the hash names. */
export function pinInventory(
  context: ActionContext,
  idOrName: string,
  accept: string | null,
): Promise<PinChange | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await findServer(db, idOrName);
    if (!server) return null;
    const atMs = Date.now();
    const current = await readChangeAt(db, server.id, atMs);
    if (!current) throw new Error('nothing is known of its inventory yet: it has to be probed first');
    const held = await pinOf(db, server.id);
    if (accept === null && held && held.hash !== current.hash) {
      throw new Error(
        `it is pinned to ${held.hash}, and has ${current.hash} now: look at what changed, and say --accept <hash>`,
      );
    }
    const chosen = accept === null ? current : await findByHash(db, server.id, accept);
    const changes = await compareChanges(db, chosen, current);
    const usage = await readUsage(db, server.id, [...new Set(changes.map(({ key }) => key))].slice(0, 1000));
    const facts = {
      serverId: server.id,
      serverName: server.name,
      tenantId: server.tenantId,
      atMs,
      hash: current.hash,
      usage,
    };
    const broken = judgePin(facts, { hash: chosen.hash, changes });
    const { id, tenantId } = server;
    await writePin(db, {
      serverId: id,
      tenantId,
      hash: chosen.hash,
      currentHash: current.hash,
      atMs,
      broken,
    });
    const summary = `pinned to ${chosen.hash}${broken ? ', which is not what it has now' : ''}`;
    return { server: { id, name: server.name }, summary, pin: await pinOf(db, id) };
  });
}

export function unpinInventory(context: ActionContext, idOrName: string): Promise<PinChange | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await findServer(db, idOrName);
    if (!server) return null;
    const removed = await removePin(db, server.id, Date.now());
    const summary = removed ? 'is not pinned any more' : 'was not pinned';
    return { server: { id: server.id, name: server.name }, summary, pin: null };
  });
}
