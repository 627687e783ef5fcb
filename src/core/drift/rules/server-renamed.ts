import type { Finding } from './finding.ts';

/** What a server called itself at one time, and what the registry said of it then. */
export interface ServerIdentity {
  /** serverInfo.name; null when it gave none. */
  name: string | null;
  registeredName: string;
  /** The version that somebody registered; null when it was learnt from the server itself. */
  registeredVersion: string | null;
}

/** server_renamed: another serverInfo.name, while the registry's entry is what it was: nobody announced it. */
export function findRenamed(before: ServerIdentity, after: ServerIdentity): Finding | null {
  if (before.name === null || after.name === null || before.name === after.name) return null;
  if (isAnnounced(before, after)) return null;
  return {
    text: `calls itself ${after.name} in place of ${before.name}, and the registry knows nothing of it`,
  };
}

export function isAnnounced(before: ServerIdentity, after: ServerIdentity): boolean {
  return (
    before.registeredName !== after.registeredName ||
    (before.registeredVersion !== after.registeredVersion && after.registeredVersion !== null)
  );
}
