import { z } from 'zod';
import { PHASES, type Phase, type PhaseTimes } from '../outcome.ts';
import { addDuration, areBuckets, EMPTY_SKETCH, type Sketch } from './sketch.ts';

/** What is learned of one kind of answer: the whole probe, and each of its phases. */
export interface LearnedLatency {
  total: Sketch;
  phases: Partial<Record<Phase, Sketch>>;
}

/** What is known of a server's own latency; serialisable, a few kilobytes at most. */
export interface LatencyMemory {
  v: 1;
  /** Answers of a server that was asked a moment ago, and first ones after idleness. */
  warm: LearnedLatency;
  cold: LearnedLatency;
  /** Slow scheduled answers in a row. */
  slowRun: number;
  /** When it was asked last; null before the first time. */
  lastMs: number | null;
  /** It answered then. */
  answered: boolean;
}

const NOTHING: LearnedLatency = { total: EMPTY_SKETCH, phases: {} };

export const FRESH_LATENCY: LatencyMemory = {
  v: 1,
  warm: NOTHING,
  cold: NOTHING,
  slowRun: 0,
  lastMs: null,
  answered: false,
};

const sketch = z.object({ n: z.int().min(0), b: z.custom<Sketch['b']>(areBuckets) });
const learned = z.object({ total: sketch, phases: z.partialRecord(z.enum(PHASES), sketch) });
const schema = z.object({
  v: z.literal(1),
  warm: learned,
  cold: learned,
  slowRun: z.int().min(0),
  lastMs: z.number().nullable(),
  answered: z.boolean(),
});

/** The memory as it was stored; null for one that is missing or damaged. */
export function parseLatency(stored: unknown): LatencyMemory | null {
  const parsed = schema.safeParse(stored);
  if (!parsed.success) return null;
  const { warm, cold, ...rest } = parsed.data;
  return { ...rest, warm: toLearned(warm), cold: toLearned(cold) };
}

const toLearned = ({ total, phases }: z.output<typeof learned>): LearnedLatency => ({
  total,
  phases: Object.fromEntries(
    PHASES.flatMap((phase) => (phases[phase] ? [[phase, phases[phase]] as const] : [])),
  ),
});

/** One more answer learned. */
export function learn(
  before: LearnedLatency,
  answer: { totalMs: number; phases: PhaseTimes },
  weight: number,
): LearnedLatency {
  const phases = { ...before.phases };
  for (const phase of PHASES) {
    const ms = answer.phases[phase];
    if (ms !== undefined) phases[phase] = addDuration(phases[phase] ?? EMPTY_SKETCH, ms, weight);
  }
  return { total: addDuration(before.total, answer.totalMs, weight), phases };
}
