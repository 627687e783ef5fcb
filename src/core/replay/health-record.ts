import { z } from 'zod';
import { type HealthContext, NO_CONTEXT, type OwnState } from '../health/context.ts';
import type { HealthDecision, HealthInput } from '../health/decide-health.ts';
import { type HealthState, parseState, SERVER_STATUSES, type ServerStatus } from '../health/memory.ts';
import type { Observation, Registered } from '../health/observation.ts';
import { PHASES, type PhaseTimes } from '../outcome.ts';
import { REASON_CODES, type Reason, VERDICTS, type Verdict } from '../reasons.ts';

const DAY_MS = 86_400_000;

/**
 * What a history row (`metrics.custom`) holds of the state machine: all that it decided from and what it
 * decided, so that the same or another policy can decide again. Once a day, and where a memory begins,
 * also the whole state before it: from there a replay can start.
 */
export function healthRecord(
  input: HealthInput,
  before: { state: HealthState; begun: boolean },
  decision: HealthDecision,
): Record<string, unknown> {
  const { observation, context, registered } = input;
  const { seen, atMs } = observation;
  const { own } = decision;
  const { lastMs } = before.state.memory;
  const starts = before.begun || lastMs === null || Math.floor(lastMs / DAY_MS) !== Math.floor(atMs / DAY_MS);
  const changed = seen.verdict !== own.verdict || seen.reason !== own.reason;
  const surrounded = context.monitorOffline || context.failingCalls !== null;
  return {
    verdict: own.verdict,
    reason: own.reason,
    ...(changed ? { seen: { verdict: seen.verdict, reason: seen.reason, message: seen.message } } : {}),
    ...(surrounded ? { context } : {}),
    health: {
      registered: registered.status,
      ...(registered.held ? { held: true } : {}),
      status: decision.status,
      hard: decision.hard,
      ...(decision.flapping ? { flapping: true } : {}),
      ...(before.begun ? { begun: true } : {}),
      ...(starts ? { start: before.state } : {}),
    },
  };
}

/** The state that a probe left a server in, as it was stored. */
export interface StoredState {
  verdict: Verdict;
  reason: Reason;
  status: ServerStatus;
  hard: boolean;
  flapping: boolean;
}

/** A history row as a replay takes it. */
export interface RecordedProbe {
  atMs: number;
  observation: Observation;
  context: HealthContext;
  registered: Registered;
  stored: StoredState;
  /** The state before it, where the row carries it. */
  start: HealthState | null;
  /** The state began anew here, whatever was before. */
  begun: boolean;
}

const seen = z.object({ verdict: z.enum(VERDICTS), reason: z.enum(REASON_CODES), message: z.string() });
const schema = z.object({
  verdict: z.enum(VERDICTS),
  reason: z.enum(REASON_CODES),
  seen: seen.optional(),
  phases: z.partialRecord(z.enum(PHASES), z.number()).catch({}),
  totalMs: z.number(),
  manual: z.boolean().catch(false),
  context: z
    .object({
      monitorOffline: z.boolean(),
      failingCalls: z.object({ calls: z.number(), errors: z.number() }).nullable(),
    })
    .optional(),
  health: z.object({
    registered: z.enum(SERVER_STATUSES),
    held: z.boolean().optional(),
    status: z.enum(SERVER_STATUSES),
    hard: z.boolean(),
    flapping: z.boolean().optional(),
    begun: z.boolean().optional(),
    start: z.object({ memory: z.unknown(), latency: z.unknown() }).optional(),
  }),
});

/**
 * A history row read back; null for one that was not decided by the state machine (an older release, a
 * result that came too late to count) or is damaged.
 */
export function readRecord(row: {
  atMs: number;
  custom: unknown;
  message: string | null;
}): RecordedProbe | null {
  const parsed = schema.safeParse(row.custom);
  if (!parsed.success) return null;
  const { verdict, reason, phases, totalMs, manual, context, health } = parsed.data;
  const times: PhaseTimes = Object.fromEntries(
    PHASES.flatMap((phase) => (phases[phase] === undefined ? [] : [[phase, phases[phase]] as const])),
  );
  return {
    atMs: row.atMs,
    observation: {
      atMs: row.atMs,
      seen: parsed.data.seen ?? { verdict, reason, message: row.message ?? '' },
      phases: times,
      totalMs,
      manual,
    },
    context: context ?? NO_CONTEXT,
    registered: { status: health.registered, held: health.held === true, ours: true },
    stored: { verdict, reason, status: health.status, hard: health.hard, flapping: health.flapping === true },
    start: health.start ? startOf(health.start, health.registered) : null,
    begun: health.begun === true,
  };
}

function startOf(start: { memory?: unknown; latency?: unknown }, status: ServerStatus): HealthState | null {
  const { state, begun } = parseState(
    { memory: start.memory, latency: start.latency },
    { status, failures: 0, successes: 0 },
  );
  return begun ? null : state;
}

/** The state that a decision leaves a server in, to be compared with a stored one. */
export function stateOf(decision: {
  own: OwnState;
  status: ServerStatus;
  hard: boolean;
  flapping: boolean;
}): StoredState {
  const { own, status, hard, flapping } = decision;
  return { verdict: own.verdict, reason: own.reason, status, hard, flapping };
}
