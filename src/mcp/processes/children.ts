import { randomUUID } from 'node:crypto';
import { type CommandPolicy, commandRefusal } from '../../core/command-policy.ts';
import { endLeftovers, endMarked } from './end-marked.ts';
import { type Owner, ownerOf } from './mark.ts';
import type { ProcessEntry } from './proc.ts';
import { openWorkFolders, readFolderId, type WorkFolders } from './work-folder.ts';

/** The rules and places of the children that one prober starts. */
export interface Children {
  /** Why a command may not be run; null when it may. */
  refusal(words: readonly string[], environment?: readonly string[]): string | null;
  owner(): Promise<Owner>;
  /** Where a child works that names no folder; null: where we do. */
  folders: WorkFolders | null;
  /** Ends what is left of a probe; counts it. */
  end(mark: string, known: readonly ProcessEntry[]): Promise<number>;
}

/** For whoever types a command: it runs where he is, and nothing outlives the program by more than a crash. */
export function createPlainChildren(): Children {
  const owner = ownerOf(randomUUID());
  return { refusal: () => null, owner: () => owner, folders: null, end: endMarked };
}

/**
 * For a daemon: commands are held to its policy, work in folders of their own, and are known again by the
 * next worker of the data folder. What an earlier one left behind is ended now.
 */
export async function openChildren(
  dataDir: string,
  policy: CommandPolicy,
): Promise<Children & { leftovers: number }> {
  const owner = await ownerOf(await readFolderId(dataDir));
  const leftovers = await endLeftovers(owner);
  return {
    refusal: (words, environment) => commandRefusal(policy, words, environment),
    owner: async () => owner,
    folders: await openWorkFolders(dataDir, owner),
    end: endMarked,
    leftovers,
  };
}
