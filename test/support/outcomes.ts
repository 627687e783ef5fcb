import { type Fault, faultOutcome, type Inventory, type ProbeOutcome } from '../../src/core/outcome.ts';

export const EMPTY_INVENTORY: Inventory = { tools: [], resources: [], resourceTemplates: [], prompts: [] };

/** A probe that went well, unless told otherwise. */
export function outcomeOf(changes: Partial<ProbeOutcome> = {}): ProbeOutcome {
  return {
    transport: 'http',
    era: 'handshake',
    protocolVersion: '2025-11-25',
    serverInfo: { name: 'fixture', version: '1.2.3' },
    capabilities: { tools: {} },
    instructions: null,
    inventory: EMPTY_INVENTORY,
    certificate: null,
    phases: { connect: 1, handshake: 5 },
    totalMs: 12.3,
    fault: null,
    warnings: [],
    canary: null,
    bytes: { sent: 700, received: 1_300 },
    footprint: { sessionsOpened: 1, sessionsClosed: 1 },
    ...changes,
  };
}

export const REFUSED: Fault = {
  kind: 'network',
  phase: 'connect',
  code: 'ECONNREFUSED',
  message: 'connection refused',
};

export function failedWith(fault: Fault): ProbeOutcome {
  return { ...faultOutcome(fault, 'http'), totalMs: 3 };
}
