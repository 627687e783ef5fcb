import { type CheckStatus, REASONS, type Reason, VERDICTS, type Verdict } from '../reasons.ts';

/** A row of mcp_server_health_check, whoever wrote it. */
export interface CheckRow {
  serverId: string;
  /** May be infinite. */
  atMs: number;
  status: string;
  responseMs: number | null;
  /** As our own rows say in their metrics; null in those of others. */
  verdict: string | null;
  reason: string | null;
}

/** A check as history counts it. */
export interface Check {
  serverId: string;
  atMs: number;
  verdict: Verdict;
  /** null: whoever wrote it gave none, or none that we know. */
  reason: Reason | null;
  responseMs: number | null;
}

export const SET_ASIDE = ['future', 'too_old', 'bad_response_time'] as const;
/** Why a row is not counted. */
export type SetAside = (typeof SET_ASIDE)[number];

/** What no answer takes: a day. */
const LONGEST_MS = 86_400_000;

const OF_STATUS: Readonly<Record<CheckStatus, Verdict>> = {
  healthy: 'up',
  unhealthy: 'down',
  timeout: 'down',
  error: 'down',
};

const isVerdict = (text: string | null): text is Verdict => VERDICTS.some((verdict) => verdict === text);
const isStatus = (text: string): text is CheckStatus => Object.hasOwn(OF_STATUS, text);
const isReason = (text: string | null): text is Reason => text !== null && Object.hasOwn(REASONS, text);

/**
 * What a row counts as. A row without a verdict of ours is judged by its status, `unknown` where that is none
 * of the contract's. A row outside of `oldestMs` to `latestMs`, or with an impossible response time, is set aside.
 */
export function judgeCheck(row: CheckRow, { oldestMs, latestMs }: { oldestMs: number; latestMs: number }) {
  const { serverId, atMs, responseMs } = row;
  const setAside = (why: SetAside) => ({ check: null, setAside: why });
  if (atMs > latestMs) return setAside('future');
  if (!(atMs >= oldestMs)) return setAside('too_old');
  if (responseMs !== null && (responseMs < 0 || responseMs > LONGEST_MS))
    return setAside('bad_response_time');
  const verdict = isVerdict(row.verdict)
    ? row.verdict
    : isStatus(row.status)
      ? OF_STATUS[row.status]
      : 'unknown';
  const reason = isReason(row.reason) && REASONS[row.reason].verdict === verdict ? row.reason : null;
  const check: Check = { serverId, atMs, verdict, reason, responseMs };
  return { check, setAside: null };
}
