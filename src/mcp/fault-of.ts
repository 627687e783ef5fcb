import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Fault, Phase } from '../core/outcome.ts';
import { FaultError } from './fault-error.ts';
import type { ProbeTransport } from './transports/probe-transport.ts';

/** What the SDK puts before the message of every JSON-RPC error. */
const SDK_PREFIX = /^MCP error -?\d+: /;

/** The first thing that a zod error complains of, in words. */
function schemaProblem(error: object): string | undefined {
  if (!('issues' in error) || !Array.isArray(error.issues)) return undefined;
  const [issue]: unknown[] = error.issues;
  if (typeof issue !== 'object' || issue === null || !('message' in issue)) return undefined;
  const path = 'path' in issue && Array.isArray(issue.path) ? issue.path.join('.') : '';
  return path === '' ? String(issue.message) : `${path}: ${String(issue.message)}`;
}

/** What an error says, in one sentence, for a warning. */
export function describeError(error: unknown): string {
  if (error instanceof McpError)
    return `JSON-RPC error ${error.code}: ${error.message.replace(SDK_PREFIX, '')}`;
  if (!(error instanceof Error)) return String(error);
  const problem = schemaProblem(error);
  return problem === undefined ? error.message : `its answer has the wrong shape (${problem})`;
}

/** The fault behind whatever ended a probe: a transport's own, the SDK's errors, or ours. */
export function faultOf(error: unknown, transport: ProbeTransport | null, phase: Phase): Fault {
  if (error instanceof FaultError) return error.fault;
  if (error instanceof McpError) {
    // The SDK makes this code up for its own side of a closed connection; the transport knows why.
    if (error.code === ErrorCode.ConnectionClosed && transport?.failure) return transport.failure;
    return { kind: 'rpc', phase, code: error.code, message: `it answered with ${describeError(error)}` };
  }
  if (transport?.failure) return transport.failure;
  if (error instanceof Error && schemaProblem(error) !== undefined) {
    return { kind: 'protocol', phase, message: describeError(error) };
  }
  return { kind: 'internal', message: error instanceof Error ? error.message : String(error) };
}
