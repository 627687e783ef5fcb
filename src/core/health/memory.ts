import { z } from 'zod';
import { FRESH_LATENCY, type LatencyMemory, parseLatency } from '../latency/latency-memory.ts';
import { FRESH_SLO, type SloMemory, sloMemorySchema } from '../slo/error-budget.ts';

export const SERVER_STATUSES = ['active', 'inactive', 'error', 'maintenance'] as const;
export type ServerStatus = (typeof SERVER_STATUSES)[number];

/** The alerts that the state machine begins and ends. */
export const HEALTH_ALERTS = [
  'server_down',
  'server_unauthenticated',
  'server_degraded',
  'server_flapping',
  'slo_burn',
] as const;
export type HealthAlert = (typeof HEALTH_ALERTS)[number];

/** A state that has been confirmed; `new` before anything was. */
export const CONFIRMED = ['new', 'up', 'degraded', 'down', 'unauthenticated'] as const;
export type Confirmed = (typeof CONFIRMED)[number];

/** Observations in a row, by what they were; those that say nothing about the server are left out. */
export interface Runs {
  failures: number;
  /** Up or degraded. */
  successes: number;
  up: number;
  degraded: number;
}

/** What is remembered of a server between probes; serialisable. */
export interface HealthMemory {
  v: 1;
  /** The newest observation. */
  lastMs: number | null;
  runs: Runs;
  confirmed: Confirmed;
  /** It was well once: only then is there a good state that a failure could be a slip of. */
  seenWell: boolean;
  /** What its status is by itself, whatever a person set. */
  status: ServerStatus;
  /** The last observations, `g` for good and `b` for bad, the newest last. */
  recent: string;
  flapping: boolean;
  /** Alerts that it began and has not ended; null when that is not known. */
  firing: HealthAlert[] | null;
  slo: SloMemory;
}

/** All that the state machine keeps of one server. */
export interface HealthState {
  memory: HealthMemory;
  latency: LatencyMemory;
}

const schema = z.object({
  v: z.literal(1),
  lastMs: z.number().nullable(),
  runs: z.object({
    failures: z.int().min(0),
    successes: z.int().min(0),
    up: z.int().min(0),
    degraded: z.int().min(0),
  }),
  confirmed: z.enum(CONFIRMED),
  seenWell: z.boolean(),
  status: z.enum(SERVER_STATUSES),
  recent: z.string().regex(/^[gb]{0,60}$/),
  flapping: z.boolean(),
  firing: z.array(z.enum(HEALTH_ALERTS)).nullable(),
  slo: sloMemorySchema,
});

/** What the registry and an older release know of a server that the state machine has not met. */
export interface KnownBefore {
  status: ServerStatus;
  failures: number;
  successes: number;
}

/**
 * A memory that begins: a server that is active has been well, whoever found that out; of one whose
 * status is error nothing says what was wrong, so the next observation counts.
 */
export function beginMemory({ status, failures, successes }: KnownBefore): HealthMemory {
  const well = status === 'active' || status === 'maintenance';
  return {
    v: 1,
    lastMs: null,
    runs: { failures, successes, up: successes, degraded: 0 },
    confirmed: well ? 'up' : 'new',
    seenWell: well,
    status: well ? 'active' : status,
    recent: '',
    flapping: false,
    firing: [],
    slo: FRESH_SLO,
  };
}

/**
 * The state as it was stored, and whether any of it `begun` anew. Of a memory that was damaged it is
 * not known which alerts it had, so all of them are said again.
 */
export function parseState(
  stored: { memory: unknown; latency: unknown },
  known: KnownBefore,
): { state: HealthState; begun: boolean } {
  const latency = parseLatency(stored.latency);
  const memory = schema.safeParse(stored.memory);
  if (memory.success) {
    return { state: { memory: memory.data, latency: latency ?? FRESH_LATENCY }, begun: latency === null };
  }
  const missing = stored.memory === null || stored.memory === undefined;
  const begun = { ...beginMemory(known), ...(missing ? {} : { firing: null }) };
  return { state: { memory: begun, latency: latency ?? FRESH_LATENCY }, begun: true };
}
