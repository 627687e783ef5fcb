import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Era, EraChoice } from '../core/target.ts';
import { FaultError } from './fault-error.ts';
import { STATELESS_VERSION } from './open-stateless.ts';

/**
 * The eras in the order in which to try them. The handshake goes first unless the other era is pinned:
 * nearly all servers have it, a server of both eras answers it too, and a server of the stateless era
 * alone says at once that it does not know it, while some old ones end at an unknown first request.
 */
export function eraOrder(choice: EraChoice): readonly [first: Era, second: Era] {
  return choice === 'stateless' ? ['stateless', 'handshake'] : ['handshake', 'stateless'];
}

/** Statuses that say the same in both eras, so that asking in the other one would only be noise. */
const SAME_IN_BOTH = new Set([401, 403, 408, 429]);

/** Whether a server that answered the greeting of `era` with `error` may speak the other era. */
export function otherEraMayAnswer(era: Era, error: unknown): boolean {
  // An error in JSON-RPC, and on a pipe also silence, is how the one era answers the other.
  if (error instanceof McpError) return true;
  if (!(error instanceof FaultError)) {
    return era === 'stateless' && error instanceof Error && error.name.includes('ZodError');
  }
  const { fault, rpc } = error;
  if (fault.kind === 'http') {
    if (SAME_IN_BOTH.has(fault.status)) return false;
    // An old server may fail in any way at a method that it does not know; 5xx included.
    return era === 'stateless' || (fault.status < 500 && rpc !== undefined);
  }
  if (fault.kind === 'version') return era === 'stateless' || fault.offered >= STATELESS_VERSION;
  if (era === 'handshake') return false;
  return (
    fault.kind === 'notMcp' || fault.kind === 'protocol' || fault.kind === 'exit' || fault.kind === 'closed'
  );
}

/** Whether a greeting was given up because nothing came: a connection that breaks has a fault of its own. */
export function isSilence(error: unknown): boolean {
  return error instanceof McpError && error.code === ErrorCode.ConnectionClosed;
}

/**
 * Which of two failures is worth telling: what the expected era said, unless the other one got further
 * and found a version that is not ours, or a door that wants credentials.
 */
export function moreTelling(expected: unknown, other: unknown): unknown {
  if (isSilence(expected)) return other;
  if (!(other instanceof FaultError)) return expected;
  const { fault } = other;
  const closedDoor = fault.kind === 'http' && SAME_IN_BOTH.has(fault.status);
  return closedDoor || fault.kind === 'version' ? other : expected;
}
