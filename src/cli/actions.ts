import type { Change, Grade } from '../core/drift/change.ts';
import type { Percentiles } from '../core/history/health-bucket.ts';
import type { HistoryPoint } from '../core/history/history-point.ts';
import type { Tier } from '../core/history/tiers.ts';
import type { VerdictCounts, Worst } from '../core/history/worst-reason.ts';
import type { ImportedServer } from '../core/import-servers.ts';
import type { InventoryKind, ProbeOutcome } from '../core/outcome.ts';
import type { Policy } from '../core/policy.ts';
import type { Reason, Verdict } from '../core/reasons.ts';
import type { ComparedAlert } from '../core/replay/compare-alerts.ts';
import type { StoredState } from '../core/replay/health-record.ts';
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
  /** Monitoring settings, by id or name; null when there is no such server. */
  showMonitor(idOrName: string): Promise<MonitorDetail | null>;
  /** Stores settings that are checked already; null takes them away. */
  setMonitor(idOrName: string, monitor: unknown): Promise<MonitorDetail | null>;
  /** Decides a server's history again; null when there is no such server. */
  replay(command: ReplayCommand): Promise<ReplayResult | null>;
  /** Of one server, or of all for null; null when there is no such server. */
  readUptime(idOrName: string | null, range: { fromMs: number; toMs: number }): Promise<UptimeResult | null>;
  /** null when there is no such server. */
  readHistory(
    idOrName: string,
    range: { fromMs: number; toMs: number; maxPoints: number },
  ): Promise<HistoryResult | null>;
  /** Recomputes the usage of a range. */
  rollUp(command: RollupCommand): Promise<RollupResult>;
  removeServers(ids: string[]): Promise<{ removed: string[]; unknown: string[] }>;
  /** Throws with every problem of the file. */
  checkAlertsFile(path: string): Promise<FileCheck>;
  checkPolicyFile(path: string): Promise<{ windows: number }>;
  testChannel(request: { channel: string; file: string | null }): Promise<ChannelTest>;
  listAlerts(filter: { all: boolean }): Promise<AlertSummary[]>;
  /** null when no server has that id or name. */
  readDrift(idOrName: string, sinceMs: number | null): Promise<DriftTimeline | null>;
  /** null when no server has that id or name. */
  diffInventories(idOrName: string, from: Moment, to: Moment): Promise<InventoryDiff | null>;
  /** Holds a server to the inventory that it has, or to the one of the hash; null when there is no such server. */
  pinInventory(idOrName: string, accept: string | null): Promise<PinChange | null>;
  unpinInventory(idOrName: string): Promise<PinChange | null>;
  /** All pins, or one server's. */
  listPins(idOrName: string | null): Promise<Pin[] | null>;
  /** Plans a maintenance; with servers that are not registered nothing is stored. */
  addMaintenance(window: NewMaintenance): Promise<AddWindowResult>;
  listMaintenance(): Promise<MaintenanceSummary[]>;
  endMaintenance(
    id: string,
    how: 'completed' | 'cancelled',
  ): Promise<'done' | 'unknown' | 'over' | 'not_begun'>;
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
  /** A live table, or all of those that grow with time; `dryRun` tells the SQL and changes nothing. */
  dbPartition(options: { table: string | null; dryRun: boolean }): Promise<DbResult>;
  listSettings(): Promise<SettingSummary[]>;
  /** What is wrong with the value, or with the key; null when it was stored. */
  setSetting(key: string, value: unknown): Promise<string | null>;
}

/** A row of system_config that the worker reads while it runs. */
export interface SettingSummary {
  key: string;
  value: unknown;
  /** null until a daemon has looked at it. */
  inForce: unknown;
  description: string;
  /** Why the value is refused; null when it is not. */
  problem: string | null;
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

export interface FileCheck {
  channels: number;
  routes: number;
}

export interface ChannelTest {
  channel: string;
  type: string;
  accepted: boolean;
  /** What the channel answered, without secrets. */
  said: string;
}

export interface AlertSummary {
  id: string;
  kind: string;
  severity: string;
  serverId: string | null;
  serverName: string | null;
  tenantId: string | null;
  title: string;
  /** ISO 8601. */
  startedAt: string;
  resolvedAt: string | null;
  /** The alert of the incident that speaks for it. */
  incidentId: string | null;
  /** Why somebody is not told, or not yet. */
  heldBecause: string | null;
  told: { channel: string; state: 'told' | 'on its way' | 'given up'; at: string }[];
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

export interface MonitorDetail {
  id: string;
  name: string;
  /** As it is stored; null when there is none. */
  monitor: unknown;
  /** What of it is not applied, and why. */
  problems: string[];
}

/** A time, or a snapshot by its hash or the beginning of it. */
export type Moment = { atMs: number } | { hash: string };

/** A graded change, and the sentence that tells it. */
export type ToldChange = Change & { sentence: string };

export interface DriftEntry {
  at: string;
  hash: string;
  /** null: the first inventory that was seen. */
  previousHash: string | null;
  /** The worst of its changes. */
  grade: Grade | null;
  counts: Record<Grade, number>;
  /** An estimate, see `tokenEstimate`. */
  tokens: number;
  previousTokens: number | null;
  /** The worst first; not all of very many. */
  changes: ToldChange[];
}

export interface DriftTimeline {
  server: { id: string; name: string };
  pin: Pin | null;
  tokenEstimate: string;
  /** The latest first. */
  entries: DriftEntry[];
}

export interface InventoryDiff {
  server: { id: string; name: string };
  tokenEstimate: string;
  from: { hash: string; at: string; tokens: number };
  to: { hash: string; at: string; tokens: number };
  counts: Record<Grade, number>;
  changes: ToldChange[];
}

export interface Pin {
  serverId: string;
  serverName: string;
  hash: string;
  pinnedAt: string;
  currentHash: string | null;
  /** Since when something breaking or suspicious keeps it from what it is pinned to. */
  brokenSince: string | null;
}

export interface PinChange {
  server: { id: string; name: string };
  /** What was done, in a line. */
  summary: string;
  pin: Pin | null;
}

export interface ReplayCommand {
  idOrName: string;
  sinceMs: number;
  /** null: the one that the worker is configured with. */
  policy: Policy | null;
}

export interface ReplayResult {
  server: { id: string; name: string };
  since: string;
  /** Probes decided again. */
  probes: number;
  /** Probes before which no state is stored to start from. */
  skipped: number;
  /** How many of the probes end in another state than the stored one, and the first of them. */
  different: number;
  firstDifference: { at: string; stored: StoredState; replayed: StoredState } | null;
  alerts: ComparedAlert[];
}

export interface UptimeResult {
  /** The range, widened to whole buckets; ISO 8601. */
  from: string;
  to: string;
  /** Out of which tiers it was read. */
  segments: { tier: Tier; from: string; to: string }[];
  servers: (Percentiles & {
    id: string;
    name: string;
    checks: number;
    /** Of the checks that count, how many were up; `upRatio` is up / counted, null where none counts. */
    counted: number;
    up: number;
    upRatio: number | null;
    /** Confirmed outages, and their length within the range. */
    incidents: number;
    incidentSeconds: number;
    verdicts: VerdictCounts;
    meanMs: number | null;
    worst: Worst | null;
  })[];
}

export interface HistoryResult {
  server: { id: string; name: string };
  tier: Tier;
  stepSeconds: number;
  from: string;
  to: string;
  points: (Omit<HistoryPoint, 'atMs'> & { at: string })[];
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

export interface NewMaintenance {
  title: string;
  type: 'scheduled' | 'emergency' | 'security_patch' | 'upgrade';
  impact: 'none' | 'minimal' | 'partial' | 'full_outage';
  startMs: number;
  endMs: number;
  /** Server ids, or `*`. */
  services: string[];
  /** Empty: all. */
  tenants: string[];
}

export interface AddWindowResult {
  /** null: nothing was planned. */
  id: string | null;
  unknown: string[];
}

export interface MaintenanceSummary {
  id: string;
  title: string;
  status: string;
  type: string;
  impact: string;
  services: string[];
  tenants: string[];
  /** ISO 8601, as the others. */
  scheduledStart: string;
  scheduledEnd: string;
  actualStart: string | null;
  actualEnd: string | null;
}

export interface RollupCommand {
  fromMs: number;
  toMs: number;
  dryRun: boolean;
  onProgress: (state: { done: number; total: number }) => void;
}
export interface RollupResult {
  /** UTC days that the range touches. */
  days: number;
  /** Statistics that were not as the calls have them. */
  changed: number;
  /** Days that were left alone, as YYYY-MM-DD: fewer of their calls are there than were counted. */
  incomplete: string[];
}
