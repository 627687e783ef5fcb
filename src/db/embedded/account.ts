import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whom PostgreSQL runs as; undefined means as ourselves. */
export type Account = { uid: number; gid: number } | undefined;

const NOBODY = { uid: 65534, gid: 65534 };

function lookUpNobody(): { uid: number; gid: number } {
  let table: string;
  try {
    table = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return NOBODY; // a container without a user table: the number is the same everywhere
  }
  const fields = table
    .split('\n')
    .find((line) => line.startsWith('nobody:'))
    ?.split(':');
  // macOS writes -2, which setuid wants as an unsigned number.
  return fields ? { uid: Number(fields[2]) >>> 0, gid: Number(fields[3]) >>> 0 } : NOBODY;
}

/**
 * PostgreSQL refuses to run as root: then it runs as whoever owns the cluster that is there already,
 * or as nobody.
 */
export function chooseAccount(clusterFolder: string): Account {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(clusterFolder, { throwIfNoEntry: false });
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : lookUpNobody();
}

/** Whether the account may pass through every folder down to and including this one (modes only, no ACLs). */
export function canReach(folder: string, account: Account): boolean {
  if (!account) return true;
  for (let path = folder; ; path = dirname(path)) {
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry) {
      const shift = entry.uid === account.uid ? 6 : entry.gid === account.gid ? 3 : 0;
      if (((entry.mode >> shift) & 1) === 0) return false;
    }
    if (path === dirname(path)) return true;
  }
}
