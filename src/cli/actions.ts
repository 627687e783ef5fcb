import type { ImportedServer } from '../core/import-servers.ts';
import type { InventoryKind, ProbeOutcome } from '../core/outcome.ts';
import type { Reason, Verdict } from '../core/reasons.ts';
import type { EraChoice, TransportType } from '../core/target.ts';

/** What the commands need done. They parse and print; everything else is behind this. */
export interface Actions {
  /** Runs until it is told to stop; without `demo`, the fleet is started where nothing else is registered. */
  runDaemon(options: { demo: boolean | undefined; report: DaemonReport }): Promise<void>;
  /** Starts the demo fleet alone and runs until it is told to stop. */
  runDemo(options: { report: DemoReport }): Promise<void>;
  /** Probes without a database. */
  probe(request: ProbeCommand): Promise<ProbeOutcome>;
  /** What a connection to a URL would meet; connects to nothing. */
  checkEgress(command: { url: string; strict: boolean }): Promise<EgressReport>;
  enqueue(request: EnqueueCommand): Promise<EnqueueResult>;
  addServers(servers: NewServer[]): Promise<AddResult>;
  listServers(filter: ServerFilter): Promise<ServerSummary[]>;
  /** By id, or by name where only one has it; null when there is none. */
  showServer(idOrName: string): Promise<ServerDetail | null>;
  removeServers(ids: string[]): Promise<{ removed: string[]; unknown: string[] }>;
  secrets(command: SecretsCommand): Promise<SecretsReport>;
  dbGenerate(options: { name?: string }): Promise<DbResult>;
  dbMigrate(): Promise<DbResult>;
  dbPush(options: { force: boolean }): Promise<DbResult>;
  /** Runs until it is told to stop. */
  dbStudio(options: { port?: number }): Promise<DbResult>;
  dbSeed(): Promise<DbResult>;
  dbReset(options: { force: boolean }): Promise<DbResult>;
  dbResetAndSeed(options: { force: boolean }): Promise<DbResult>;
  dbIntrospect(): Promise<DbResult>;
  dbAdopt(): Promise<AdoptResult>;
}

/** What the daemon tells while it starts and runs, to be shown on a terminal. */
export interface DaemonReport {
  /** What it is doing now; shown until the next one, with how far it is where that is known. */
  step(text: string, progress?: { done: number; total: number }): void;
  /** Something the user should know, once. */
  note(text: string): void;
  verdicts(rows: VerdictRow[]): void;
  /** It runs; where to look. */
  ready(addresses: { label: string; url: string }[]): void;
}

export interface DemoReport {
  progress(progress: { done: number; total: number }): void;
  started(
    servers: {
      id: string;
      name: string;
      transportType: TransportType;
      endpointUrl: string;
      expected: Verdict;
    }[],
  ): void;
  /** The packages that are not installed; nothing was started. */
  missing(packages: string[]): void;
}

export type CommandTarget = { kind: 'url'; url: string } | { kind: 'command'; words: [string, ...string[]] };

export interface ProbeCommand {
  target: CommandTarget;
  /** undefined: a ws URL is a WebSocket, an http URL streamable HTTP and then SSE, a command stdio. */
  transport?: TransportType;
  era: EraChoice;
  headers: Record<string, string>;
  bearer?: string;
  /** undefined: the configured one. */
  timeoutMs?: number;
  /** Keep to the strict egress policy, though the user typed the target. */
  strict?: true;
}

export interface EgressReport {
  url: string;
  host: string;
  port: number;
  mode: 'open' | 'strict';
  /** Whether a probe would connect at all. */
  permitted: boolean;
  /** In a sentence. */
  why: string;
  addresses: { address: string; permitted: boolean; why: string }[];
}

export type Selection = { ids: string[] } | { all: true } | { tag: string } | { tenantId: string };

export interface EnqueueCommand {
  selection: Selection;
  /** Resolve only when every probe has ended, telling each as it does. */
  wait: boolean;
  onProgress(progress: { done: number; total: number }): void;
}

export interface EnqueueResult {
  queued: { id: string; name: string }[];
  /** Ids that are not registered. */
  unknown: string[];
  /** null without `wait`. */
  verdicts: VerdictRow[] | null;
  /** Those that no worker had probed when the waiting ended. */
  unfinished: { id: string; name: string }[];
}

export interface VerdictRow {
  id: string;
  name: string;
  transport: string;
  verdict: Verdict;
  reason: Reason | null;
  message: string | null;
  responseMs: number | null;
}

export type NewServer = Omit<ImportedServer, 'notes'> & {
  id?: string;
  tags: string[];
  tenantId: string | null;
  /** undefined: the registry's default. */
  intervalSeconds?: number;
};

export interface AddResult {
  added: { id: string; name: string }[];
  skipped: { name: string; reason: string }[];
}

export interface ServerFilter {
  tag?: string;
  tenantId?: string;
  verdict?: Verdict;
}

export interface ServerSummary extends Omit<VerdictRow, 'verdict'> {
  /** null when it was never probed. */
  verdict: Verdict | null;
  endpointUrl: string;
  tenantId: string | null;
  tags: string[];
  /** The gateway's: active, inactive, error, maintenance. */
  status: string;
  /** ISO 8601; null when it was never probed. */
  checkedAt: string | null;
}

export interface ServerDetail extends ServerSummary {
  description: string | null;
  version: string | null;
  authType: string;
  intervalSeconds: number;
  nextProbeAt: string | null;
  uptimePercent: number | null;
  era: string | null;
  protocolVersion: string | null;
  inventory: Record<InventoryKind, number> | null;
  /** The latest first. */
  recent: { at: string; status: string; reason: string | null; responseMs: number | null }[];
}

export interface SecretsCommand {
  /** seal what is plain, seal anew what an older key sealed, or only look. */
  work: 'seal' | 'rotate' | 'check';
  /** undefined: every server. */
  ids?: string[];
  onProgress(replaced: number): void;
}

/** What is there after the work. */
export interface SecretsReport {
  replaced: number;
  /** How many values each key sealed, by its id. */
  byKey: Record<string, number>;
  /** Servers whose credentials are in plain text. */
  plain: string[];
  unreadable: { id: string; problem: string }[];
  /** Left alone, since somebody else wrote them in between. */
  changedMeanwhile: string[];
  /** Ids that are not registered. */
  unknown: string[];
}

export interface DbResult {
  /** What was done, in a line. */
  summary: string;
  /** More lines to show below it. */
  details?: string[];
}

export interface AdoptResult extends DbResult {
  tables: { table: string; differences: string[] }[];
  /** Why the worker cannot run on it; the exit code is then 1. */
  blocking: string[];
}
