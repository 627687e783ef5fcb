import type { DriftDecision } from '../../core/drift/decide-drift.ts';
import type { ServerIdentity } from '../../core/drift/rules/server-renamed.ts';
import type { InventoryRows } from '../../core/inventory.ts';
import type { InventoryKind } from '../../core/outcome.ts';

/** What became of an inventory before its result is stored: everything that takes time is done by then. */
export interface PreparedInventory {
  /** null for a listing that failed in part: neither hash nor snapshot would say what is there. */
  hash: string | null;
  /** What is to be written; null when nothing changed. */
  write: InventoryWrite | null;
  /** Why it could not be found out; null when it could. */
  problem: string | null;
}

export interface InventoryWrite {
  /** The inventory_hash that this was prepared against: when it is another by then, nothing is written. */
  expectedHash: string | null;
  rows: InventoryRows;
  failed: ReadonlySet<InventoryKind>;
  /** null when the definitions are the same as at the last snapshot, or the listing is not whole. */
  snapshot: SnapshotWrite | null;
}

export interface SnapshotWrite {
  hash: string;
  serverName: string | null;
  /** JSON texts of an array of {hash, body, bytes}, in the order of the hashes. */
  definitions: string[];
  /** JSON text. */
  items: string;
  tokens: number;
  previousTokens: number | null;
  previousHash: string | null;
  identity: ServerIdentity;
  changes: string;
  counts: string;
  grade: string | null;
  keptBytes: number;
  tenantId: string | null;
  /** The pin that the decision was made with. */
  pinnedHash: string | null;
  decision: DriftDecision;
}
