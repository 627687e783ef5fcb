import type { Sent } from './channel.ts';
import type { Answer } from './send-request.ts';

/** Of the answers that refuse, those that another attempt may change. */
const WORTH_RETRYING = new Set([408, 425, 429]);

/** 2xx has accepted it; of the rest, 4xx is for good but for a few, and all else is tried again. */
export function judgeAnswer(answer: Answer, nowMs: number): Sent {
  const { status, headers, body } = answer;
  const said = body.replace(/\s+/g, ' ').trim().slice(0, 200);
  const words = `${status}${said === '' ? '' : ` ${said}`}`;
  if (status >= 200 && status < 300) return { state: 'accepted', answer: words };
  // A redirect is not followed: the address in the file has to be the right one.
  const permanent = status >= 300 && status < 500 && !WORTH_RETRYING.has(status);
  return {
    state: 'refused',
    problem: words,
    permanent,
    retryAfterMs: readRetryAfter(headers['retry-after'], nowMs),
  };
}

/** Seconds, or a date. */
function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | null {
  const text = Array.isArray(header) ? (header[0] ?? '') : (header ?? '');
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/** What a failed connection comes to: worth another attempt. When the attempt was cut short, it is thrown on. */
export function judgeFailure(error: unknown, signal: AbortSignal): Sent {
  if (signal.aborted) throw signal.reason;
  return { state: 'refused', problem: nameOf(error), permanent: false, retryAfterMs: null };
}

function nameOf(error: unknown): string {
  // Several addresses were tried, and each has an error of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return nameOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
