import { createHash } from 'node:crypto';
import { type AlertChange, alertKey, type Severity } from '../alerts/alert.ts';
import type { Sliced } from '../slices.ts';
import { type Change, countGrades, type Grade } from './change.ts';
import { describeChanges, describeCounts, describeTokens } from './describe-drift.ts';
import { showHidden } from './rules/show-text.ts';
import type { Usage } from './usage.ts';

/** What an active drift alert waits for: these definitions as they were, or the whole snapshot. */
export interface OpenDriftAlert {
  key: string;
  /** The inventory before the change. */
  previousHash: string | null;
  /** What it is about: kind, name, and the definition's hash before; null where there was none. */
  about: readonly [kind: string, key: string, hashBefore: string | null][];
  /** Whether `about` names all of it. */
  complete: boolean;
  codes: readonly string[];
}

export interface DriftFacts {
  serverId: string;
  serverName: string;
  tenantId: string | null;
  atMs: number;
  hash: string;
  /** null for a first inventory. */
  previousHash: string | null;
  changes: readonly Change[];
  usage: Usage;
  tokens: number;
  previousTokens: number | null;
  /** The pin, and how the inventory differs from it; null when the server is not pinned. */
  pin: { hash: string; changes: readonly Change[] } | null;
  open: readonly OpenDriftAlert[];
  /** Alerts of this server that began within a day, active or not: what was told then is not told again. */
  recentKeys: ReadonlySet<string>;
  /** Whether the very same change was seen within a day: two versions of a server behind one address. */
  isRepeated: boolean;
  /** The hash of a definition in this inventory, and in the one before; null when it is not there. */
  hashOf(kind: string, key: string): string | null;
  hashBefore(kind: string, key: string): string | null;
  /** Whether a definition of this inventory says nothing suspicious, or is gone. */
  isClean(kind: string, key: string): Sliced<boolean>;
  /** Whether what worked with the definition of that hash works with this inventory's. */
  works(kind: string, key: string, hashBefore: string | null): Sliced<boolean>;
}

/** A row of system_event for something that happened, and is over with that. */
export interface DriftEvent {
  type: `drift_${Grade}`;
  title: string;
  description: string;
  severity: Severity;
  data: Record<string, unknown>;
}

/** A row of security_event. */
export interface PinViolation {
  severity: 'high' | 'critical';
  description: string;
  custom: Record<string, unknown>;
}

export interface DriftDecision {
  alerts: AlertChange[];
  events: DriftEvent[];
  violation: PinViolation | null;
}

const MAX_ABOUT = 100;
/** The rules whose findings are aimed at the agent itself. */
const AIMED = new Set(['description_gives_orders', 'hidden_unicode']);

const severityOf = (grade: Grade, changes: readonly Change[]): Severity => {
  if (grade === 'breaking') return 'error';
  if (grade !== 'suspicious') return 'info';
  return changes.some(({ code }) => AIMED.has(code)) ? 'critical' : 'error';
};

/**
 * Who has to be told of a changed inventory. A breaking or suspicious change is an alert, until the
 * inventory is again what it was, somebody accepts it, or a day has passed. A pinned server is held to its
 * pin instead: one alert from the first breaking or suspicious difference until somebody accepts. All else
 * is an event of the moment.
 */
export function* decideDrift(facts: DriftFacts): Sliced<DriftDecision> {
  const decision: DriftDecision = { alerts: yield* resolveReturned(facts), events: [], violation: null };
  for (const grade of ['breaking', 'suspicious', 'additive', 'cosmetic'] as const) {
    const changes = facts.changes.filter((change) => change.grade === grade);
    if (changes.length === 0) continue;
    const told = tell(facts, grade, changes);
    const isAlert = (grade === 'breaking' || grade === 'suspicious') && !facts.pin;
    if (!isAlert) {
      if (!facts.isRepeated) decision.events.push({ type: `drift_${grade}`, ...told });
      continue;
    }
    const kind = grade === 'breaking' ? 'drift_breaking' : 'drift_suspicious';
    // What is suspicious is told by what was found, so that a listing that changes in other ways is not told again.
    const detail = grade === 'suspicious' ? suspectsOf(changes) : facts.hash;
    const key = alertKey(kind, facts.serverId, detail);
    if (facts.recentKeys.has(key)) continue;
    const { serverId, tenantId, atMs } = facts;
    decision.alerts.push({ action: 'fire', kind, key, serverId, tenantId, atMs, ...told });
  }
  const broken = facts.pin && judgePin(facts, facts.pin);
  if (broken) {
    decision.alerts.push(broken.alert);
    decision.violation = broken.violation;
  }
  return decision;
}

/** What was found, in a form that fits any index. */
function suspectsOf(changes: readonly Change[]): string {
  const found = new Set(changes.map(({ code, kind, key }) => `${code} ${kind} ${key}`));
  return createHash('sha256')
    .update([...found].sort().join('\n'))
    .digest('base64url')
    .slice(0, 22);
}

function tell(facts: DriftFacts, grade: Grade, changes: readonly Change[]): Omit<DriftEvent, 'type'> {
  const { serverName, usage, tokens, previousTokens, hash, previousHash } = facts;
  const counts = { ...countGrades([]), [grade]: changes.length };
  const about = [
    ...new Map(changes.map(({ kind, key }) => [`${kind} ${key}`, [kind, key] as const])).values(),
  ];
  return {
    title: `${showHidden(serverName)}: ${describeCounts(counts)}`,
    description: `${describeChanges(changes, usage)}\n${capitalized(describeTokens(tokens, previousTokens))}.`,
    severity: severityOf(grade, changes),
    data: {
      grade,
      hash,
      previousHash,
      codes: [...new Set(changes.map(({ code }) => code))],
      tokens,
      previousTokens,
      about: about.slice(0, MAX_ABOUT).map(([kind, key]) => [kind, key, facts.hashBefore(kind, key)]),
      complete: about.length <= MAX_ABOUT,
    },
  };
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Alerts whose definitions are what they were, do what they did, or say nothing suspicious any more. */
function* resolveReturned(facts: DriftFacts): Sliced<AlertChange[]> {
  const returned: AlertChange[] = [];
  for (const alert of facts.open) {
    if (yield* hasReturned(alert, facts))
      returned.push({ action: 'resolve', key: alert.key, atMs: facts.atMs, data: { returned: true } });
  }
  return returned;
}

function* hasReturned(
  { key: alert, previousHash, about, complete, codes }: OpenDriftAlert,
  facts: DriftFacts,
): Sliced<boolean> {
  if (previousHash !== null && previousHash === facts.hash) return true;
  if (!complete || about.some(([kind]) => kind === 'server')) return false;
  const isAboutTexts = codes.length > 0 && codes.every((code) => AIMED.has(code));
  const isBreaking = alert.startsWith('drift_breaking:');
  for (const [kind, key, hash] of about) {
    if (facts.hashOf(kind, key) === hash) continue;
    if (isAboutTexts && (yield* facts.isClean(kind, key))) continue;
    if (isBreaking && (yield* facts.works(kind, key, hash))) continue;
    return false;
  }
  return true;
}

/** What is told of a pinned server that is not what it is held to. */
export interface BrokenPin {
  alert: AlertChange;
  violation: PinViolation;
}

/**
 * How a pinned server breaks its pin; null when nothing breaking or suspicious keeps it from what it is
 * held to. It stays open whatever the server does: only a person can say that it is well again.
 */
export function judgePin(
  facts: Pick<DriftFacts, 'serverId' | 'serverName' | 'tenantId' | 'atMs' | 'hash' | 'usage'>,
  pin: { hash: string; changes: readonly Change[] },
): BrokenPin | null {
  const { serverId, tenantId, serverName, usage, hash, atMs } = facts;
  const bad = pin.changes.filter(({ grade }) => grade === 'breaking' || grade === 'suspicious');
  if (bad.length === 0) return null;
  const counts = countGrades(bad);
  const severity = severityOf(counts.suspicious > 0 ? 'suspicious' : 'breaking', bad);
  const title = `${showHidden(serverName)} is not what it is pinned to: ${describeCounts(counts)}`;
  const accept = `To accept it: mcp-vitals pin ${showHidden(serverId)} --accept ${hash}`;
  const description = `${describeChanges(bad, usage)}\n${accept}`;
  const data = { hash, pinnedHash: pin.hash, counts, codes: [...new Set(bad.map(({ code }) => code))] };
  const key = alertKey('pin_broken', serverId);
  return {
    alert: {
      action: 'fire',
      kind: 'pin_broken',
      key,
      severity,
      serverId,
      tenantId,
      title,
      description,
      data,
      atMs,
    },
    violation: {
      severity: severity === 'critical' ? 'critical' : 'high',
      description: `${title}\n${description}`,
      custom: { serverId, ...data },
    },
  };
}
