import type { Fault } from '../core/outcome.ts';

/** The JSON-RPC error found in the body of an HTTP refusal. */
export interface RpcProblem {
  code: number;
  message: string;
}

/** Carries a fault through the SDK's promises to where the outcome is made. */
export class FaultError extends Error {
  readonly fault: Fault;
  /** Set when an HTTP status came with a JSON-RPC error: the era and -32601 are read from it. */
  readonly rpc: RpcProblem | undefined;

  constructor(fault: Fault, rpc?: RpcProblem) {
    super(fault.message);
    this.name = 'FaultError';
    this.fault = fault;
    this.rpc = rpc;
  }
}
