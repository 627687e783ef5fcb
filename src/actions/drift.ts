import type { DriftTimeline, InventoryDiff, Moment, ToldChange } from '../cli/actions.ts';
import { type Change, countGrades, worstFirst } from '../core/drift/change.ts';
import { describeChange } from '../core/drift/describe-drift.ts';
import { TOKEN_ESTIMATE } from '../core/drift/tokens.ts';
import type { Usage } from '../core/drift/usage.ts';
import type { Database } from '../db/client.ts';
import { readUsage } from '../db/queries/drift.ts';
import { type ChangeRow, readChangeAt, readTimeline } from '../db/queries/timeline.ts';
import { compareChanges, findByHash } from './compare-changes.ts';
import { type ActionContext, withDatabase } from './context.ts';
import { findServer } from './find-server.ts';
import { pinOf } from './pins.ts';

const isoOf = (ms: number): string => new Date(ms).toISOString();

const tell = (changes: readonly Change[], usage: Usage): ToldChange[] =>
  worstFirst(changes).map((change) => ({ ...change, sentence: describeChange(change, usage) }));

function usageOf(db: Database, serverId: string, changes: readonly Change[]): Promise<Usage> {
  const tools = changes.filter(({ kind, grade }) => kind === 'tools' && grade !== 'cosmetic');
  return readUsage(db, serverId, [...new Set(tools.map(({ key }) => key))].slice(0, 1000));
}

/** When a server's inventory changed, how, and what that means to those who call it. */
export function readDrift(
  context: ActionContext,
  idOrName: string,
  sinceMs: number | null,
): Promise<DriftTimeline | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await findServer(db, idOrName);
    if (!server) return null;
    const rows = await readTimeline(db, server.id, sinceMs ?? 0);
    const usage = await usageOf(
      db,
      server.id,
      rows.flatMap(({ changes }) => changes),
    );
    return {
      server: { id: server.id, name: server.name },
      pin: await pinOf(db, server.id),
      tokenEstimate: TOKEN_ESTIMATE,
      entries: rows.map(({ atMs, hash, previousHash, grade, counts, tokens, previousTokens, changes }) => ({
        at: isoOf(atMs),
        hash,
        previousHash,
        grade,
        counts,
        tokens,
        previousTokens,
        changes: tell(changes, usage),
      })),
    };
  });
}

/** What changed between two moments, or two snapshots, of a server. */
export function diffServer(
  context: ActionContext,
  idOrName: string,
  from: Moment,
  to: Moment,
): Promise<InventoryDiff | null> {
  return withDatabase(context, async ({ db }) => {
    const server = await findServer(db, idOrName);
    if (!server) return null;
    const [before, after] = [await findChange(db, server, from), await findChange(db, server, to)];
    const changes = await compareChanges(db, before, after);
    const usage = await usageOf(db, server.id, changes);
    const endOf = ({ hash, atMs, tokens }: ChangeRow) => ({ hash, at: isoOf(atMs), tokens });
    return {
      server: { id: server.id, name: server.name },
      tokenEstimate: TOKEN_ESTIMATE,
      from: endOf(before),
      to: endOf(after),
      counts: countGrades(changes),
      changes: tell(changes, usage),
    };
  });
}

async function findChange(
  db: Database,
  { id, name }: { id: string; name: string },
  moment: Moment,
): Promise<ChangeRow> {
  if ('atMs' in moment) {
    const row = await readChangeAt(db, id, moment.atMs);
    if (!row) throw new Error(`nothing is known of the inventory of ${name} at ${isoOf(moment.atMs)}`);
    return row;
  }
  return await findByHash(db, id, moment.hash);
}
