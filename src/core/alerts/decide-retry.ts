/** How a channel refused a message. */
export interface Refusal {
  /** In words, without secrets. */
  problem: string;
  /** Another attempt would be refused as well, as far as anybody can tell. */
  permanent: boolean;
  /** When the channel wants to be asked again; null when it does not say. */
  retryAfterMs: number | null;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;
/** A channel that wants to be left alone for longer is asked all the same. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;
/** A refusal for good may be a deployment that is half done: it is tried a few times. */
const PERMANENT_ATTEMPTS = 3;

/**
 * After how long a refused message is tried again; null: no more. Doubles with each attempt, and is shortened
 * by up to half at random (`random` from 0 to 1), so that many do not come back together.
 */
export function decideRetry(
  refusal: Refusal,
  {
    attempts,
    ageMs,
    giveUpAfterMs,
    random,
  }: { attempts: number; ageMs: number; giveUpAfterMs: number; random: number },
): { afterMs: number } | null {
  if (refusal.permanent && attempts >= PERMANENT_ATTEMPTS) return null;
  const pauseMs =
    Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20)) * (1 - random / 2);
  const askedMs = Math.min(refusal.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const afterMs = Math.round(Math.max(pauseMs, askedMs));
  return ageMs + afterMs > giveUpAfterMs ? null : { afterMs };
}
