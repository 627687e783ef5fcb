import type { BadTarget, Era, TransportType } from './target.ts';

/**
 * The steps of a probe, in order; each is timed apart, in milliseconds. `spawn` is stdio's connect,
 * `handshake` is initialize and initialized (or server/discover), `list` is every inventory page, `canary`
 * the call of the tool that the server's settings name.
 * `firstByte`, from the first request to the first bytes of its answer, is a part of the step it falls in.
 */
export const PHASES = [
  'dns',
  'connect',
  'tls',
  'spawn',
  'firstByte',
  'auth',
  'handshake',
  'ping',
  'list',
  'canary',
  'close',
] as const;
export type Phase = (typeof PHASES)[number];
export type PhaseTimes = Partial<Record<Phase, number>>;

/** What went wrong, as a fact: what it means is decided by `classify`. */
export type Fault =
  | BadTarget
  /** The egress policy forbids the address; nothing was sent. */
  | { kind: 'egress'; message: string }
  /** Our own list of commands does not have this one; nothing was run. */
  | { kind: 'command'; message: string }
  /** A socket or DNS error; `code` is Node's (ECONNREFUSED, ENOTFOUND, …). */
  | { kind: 'network'; phase: Phase; code: string; message: string }
  /** A certificate or TLS protocol error; `code` is OpenSSL's or Node's. */
  | { kind: 'tls'; code: string; message: string }
  /** The whole-probe deadline passed while in `phase`. */
  | { kind: 'timeout'; phase: Phase; afterMs: number; message: string }
  /** An HTTP status that is no answer (also on a WebSocket upgrade or an SSE stream). */
  | {
      kind: 'http';
      phase: Phase;
      status: number;
      message: string;
      /** `WWW-Authenticate`, as sent. */
      challenge?: string;
      /** The authorization servers and scopes that a 401 asks for, where it says. */
      wants?: { servers: string[]; scopes: string[] };
      /** `Location`, as sent. */
      location?: string;
      retryAfterMs?: number;
    }
  /** Something answered, and it does not speak MCP: HTML, no JSON, no event stream, not HTTP. */
  | { kind: 'notMcp'; phase: Phase; message: string }
  /** MCP, but none of our protocol versions. */
  | { kind: 'version'; offered: string; message: string }
  /** MCP, but a message breaks the protocol. */
  | { kind: 'protocol'; phase: Phase; message: string }
  /** A JSON-RPC error where an answer was due. */
  | { kind: 'rpc'; phase: Phase; code: number; message: string }
  /** A bound of ours was passed. */
  | {
      kind: 'limit';
      phase: Phase;
      limit: 'body' | 'headers' | 'line' | 'pages' | 'items' | 'messages' | 'depth' | 'stall' | 'processes';
      message: string;
    }
  /** The command of a stdio server could not be started. */
  | { kind: 'spawn'; code: string; message: string }
  /** The child of a stdio server ended before it answered. */
  | {
      kind: 'exit';
      exitCode: number | null;
      signal: string | null;
      /** The last lines of its stderr. */
      stderr: string;
      message: string;
    }
  /** The connection ended in the middle. */
  | { kind: 'closed'; phase: Phase; message: string }
  /** The authorization server refused or failed us (OAuth). */
  | { kind: 'oauth'; status?: number; message: string }
  /** Our own fault. */
  | { kind: 'internal'; message: string };

/** What a listing brought, as sent: raw definitions, nothing stripped, for hashing and storing. */
export type Definition = Record<string, unknown>;
export interface Inventory {
  tools: Definition[];
  resources: Definition[];
  resourceTemplates: Definition[];
  prompts: Definition[];
}
export const INVENTORY_KINDS = ['tools', 'resources', 'resourceTemplates', 'prompts'] as const;
export type InventoryKind = (typeof INVENTORY_KINDS)[number];

export interface ServerInfo {
  name: string;
  version: string;
  title?: string;
}

/** Something worth saying that is no outage: a family not implemented, an invalid definition. */
export interface Warning {
  code:
    | 'ping_not_implemented'
    | 'list_not_implemented'
    | 'list_failed'
    | 'invalid_definition'
    | 'too_deep'
    | 'bad_monitor_settings'
    | 'tls_not_verified'
    | 'oauth_renewal_failed';
  kind?: InventoryKind;
  message: string;
}

/** The certificate that a server showed, in a few words. */
export interface ServerCertificate {
  /** The organisation that issued it, or its common name. */
  issuer: string | null;
  subject: string | null;
  validToMs: number | null;
}

/** What came of the tool call that a server's settings ask for. */
export interface CanaryOutcome {
  ok: boolean;
  tool: string;
  /** false: the tool is not marked as read-only, and nobody said that it may be called: it was not. */
  allowed: boolean;
  ms: number;
  /** What was not as it should be, in a sentence; null when all was. */
  failure: string | null;
}

/** What went over the wire, headers and stderr included, as far as the transport can tell. */
export interface ByteCounts {
  sent: number;
  received: number;
}

/** The certificate that a server showed, in a few words. */
export interface ServerCertificate {
  /** The organisation that issued it, or its common name. */
  issuer: string | null;
  subject: string | null;
  validToMs: number | null;
}

/** All that one probe saw. It never throws for a target's fault: the fault is in here. */
export interface ProbeOutcome {
  transport: TransportType | null;
  era: Era | null;
  protocolVersion: string | null;
  serverInfo: ServerInfo | null;
  capabilities: Record<string, unknown> | null;
  instructions: string | null;
  /** null when listing was not asked for or not reached; the families that were not listed are empty. */
  inventory: Inventory | null;
  /** null without TLS, and when the handshake did not get that far. */
  certificate: ServerCertificate | null;
  /** A digest of the listing as it came, byte for byte: the same one again needs no closer look. */
  listingDigest?: string | null;
  phases: PhaseTimes;
  totalMs: number;
  fault: Fault | null;
  warnings: Warning[];
  /** null when none is asked for, or the probe did not get that far. */
  canary: CanaryOutcome | null;
  bytes: ByteCounts;
  /** Sessions that the target opened for us, and those that we ended. */
  footprint: { sessionsOpened: number; sessionsClosed: number };
}

/** The outcome of a probe that could not begin. */
export function faultOutcome(fault: Fault, transport: TransportType | null = null): ProbeOutcome {
  return {
    transport,
    era: null,
    protocolVersion: null,
    serverInfo: null,
    capabilities: null,
    instructions: null,
    inventory: null,
    certificate: null,
    phases: {},
    totalMs: 0,
    fault,
    warnings: [],
    canary: null,
    bytes: { sent: 0, received: 0 },
    footprint: { sessionsOpened: 0, sessionsClosed: 0 },
  };
}
