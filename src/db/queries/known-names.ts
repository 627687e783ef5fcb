import {
  addNames,
  emptyNameIndex,
  type KnownName,
  type NameIndex,
} from '../../core/drift/rules/lookalike-name.ts';
import type { Database } from '../client.ts';
import { readToolNames } from './drift.ts';
import { inSlices } from './in-slices.ts';
import { createKeptMap } from './kept-map.ts';

/** The names of the tools of tenants' servers, as they were lately. */
export interface KnownNames {
  of(tenantId: string | null): Promise<NameIndex>;
  /** Names that are about to be stored: for those that come after them. */
  add(tenantId: string | null, names: readonly KnownName[]): Promise<void>;
}

const MAX_TENANTS = 20;
/** Names that other workers store meanwhile are seen after this. */
const AGE_MS = 60_000;

/** Reads a tenant's names once a minute at most, however many of its servers are new at once. */
export function createKnownNames(db: Database): KnownNames {
  const tenants = createKeptMap<{ index: Promise<NameIndex>; readAtMs: number }>(MAX_TENANTS);

  async function read(tenantId: string | null): Promise<NameIndex> {
    const index = emptyNameIndex();
    await inSlices(addNames(index, await readToolNames(db, tenantId)));
    return index;
  }

  function of(tenantId: string | null): Promise<NameIndex> {
    const key = tenantId === null ? 'none' : `tenant ${tenantId}`;
    const entry = tenants.get(key);
    if (entry && performance.now() - entry.readAtMs < AGE_MS) return entry.index;
    const index = read(tenantId);
    tenants.set(key, { index, readAtMs: performance.now() });
    // What could not be read is not kept: the next one asks again.
    index.catch(() => tenants.delete(key));
    return index;
  }

  return {
    of,
    async add(tenantId, names) {
      await inSlices(addNames(await of(tenantId), names));
    },
  };
}
