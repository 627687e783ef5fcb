import type { Verdict } from '../core/reasons.ts';
import type { TransportType } from '../core/target.ts';

/** A server of the demo fleet, in the columns of the registry. */
export interface DemoServer {
  id: string;
  name: string;
  description: string;
  endpointUrl: string;
  transportType: TransportType;
  authType: 'none' | 'bearer' | 'custom';
  authConfig: { bearerToken?: string; custom?: { env: Record<string, string> } } | null;
  tags: string[];
}

/** A server with the verdict that a probe has to come to. */
export interface DemoPart {
  server: DemoServer;
  expected: Verdict;
}

export interface DemoFleet {
  servers: DemoServer[];
  /** By server id. */
  expected: Record<string, Verdict>;
  /** Ends every process and listener; may be called more than once. */
  stop(): Promise<void>;
}

export function describeDemo(
  id: string,
  server: Pick<DemoServer, 'name' | 'description' | 'endpointUrl' | 'transportType'> &
    Partial<Pick<DemoServer, 'authType' | 'authConfig'>>,
  expected: Verdict = 'up',
): DemoPart {
  return {
    server: { authType: 'none', authConfig: null, ...server, id: `demo-${id}`, tags: ['demo'] },
    expected,
  };
}
