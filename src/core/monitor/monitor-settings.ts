import { type CanarySettings, readCanary } from './canary-settings.ts';
import { asObject, type Problem, Reader } from './reader.ts';

/** How often a server may be probed, and when it need not be. */
export interface BudgetSettings {
  /** Probes of one UTC day; null for as many as its interval gives. */
  probesPerDay: number | null;
  /** Bytes sent and received by the probes of one UTC day. */
  bytesPerDay: number | null;
  /** It sleeps while nobody uses it: a probe must not be what wakes it. */
  doNotWake: boolean;
  /** Real calls that go well may stand in for a probe. */
  trustTraffic: boolean;
}

/** What mcp_server.settings.monitor says of how a server is watched. */
export interface MonitorSettings {
  budget: BudgetSettings;
  canary: CanarySettings | null;
  slo: {
    /** The share of good probes that it is to have; null for the policy's. */
    objective: number | null;
  };
}

export const NO_BUDGET: BudgetSettings = {
  probesPerDay: null,
  bytesPerDay: null,
  doNotWake: false,
  trustTraffic: false,
};

export interface ParsedMonitor {
  settings: MonitorSettings;
  /** What is wrong with them: each such part is left out. */
  problems: Problem[];
}

const DEFAULTS: ParsedMonitor = {
  settings: { budget: NO_BUDGET, canary: null, slo: { objective: null } },
  problems: [],
};

const MAX_PROBES_PER_DAY = 20_000;
const MAX_BYTES_PER_DAY = 1e12;

/**
 * The settings of a server from its column `settings`, which may hold any JSON. It never throws: a part
 * that is wrong is left out and named. A canary with anything wrong in it is left out as a whole, since
 * half of it might be a call that nobody meant.
 */
export function monitorOfSettings(settings: unknown): ParsedMonitor {
  const monitor = asObject(settings)?.monitor;
  return monitor === undefined || monitor === null ? DEFAULTS : parseMonitor(monitor);
}

/** The same from the value of `monitor` alone. */
export function parseMonitor(value: unknown): ParsedMonitor {
  const problems: Problem[] = [];
  const reader = Reader.open(value, [], problems);
  if (!reader) return { ...DEFAULTS, problems };
  reader.known(['budget', 'canary', 'slo']);
  return {
    settings: {
      budget: readBudget(reader.child('budget')),
      canary: readCanary(reader.child('canary')),
      slo: { objective: readObjective(reader.child('slo')) },
    },
    problems,
  };
}

function readBudget(reader: Reader | null): BudgetSettings {
  if (!reader) return NO_BUDGET;
  reader.known(['probesPerDay', 'bytesPerDay', 'doNotWake', 'trustTraffic']);
  return {
    probesPerDay: reader.integer('probesPerDay', 1, MAX_PROBES_PER_DAY),
    bytesPerDay: reader.integer('bytesPerDay', 1, MAX_BYTES_PER_DAY),
    doNotWake: reader.flag('doNotWake') ?? false,
    trustTraffic: reader.flag('trustTraffic') ?? false,
  };
}

function readObjective(reader: Reader | null): number | null {
  if (!reader) return null;
  reader.known(['objective']);
  const objective = reader.value('objective');
  if (objective === undefined || objective === null) return null;
  if (typeof objective === 'number' && objective > 0 && objective < 1) return objective;
  reader.problem('objective', 'is no number between 0 and 1, as 0.995');
  return null;
}
