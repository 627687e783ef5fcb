import type { Reason } from './reasons.ts';

/** A server is never probed more often than this by schedule. */
export const MIN_INTERVAL_MS = 5_000;
export const DEFAULT_INTERVAL_MS = 300_000;
/** A Retry-After beyond this is not believed. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** The interval of a server from its registry row (`health_check_interval`, seconds), in milliseconds. */
export function intervalMsOf(healthCheckIntervalSeconds: number | null): number {
  if (healthCheckIntervalSeconds === null || !(healthCheckIntervalSeconds > 0)) return DEFAULT_INTERVAL_MS;
  return Math.max(MIN_INTERVAL_MS, healthCheckIntervalSeconds * 1000);
}

/** FNV-1a, 32 bits: cheap, stable across releases, and even enough to spread a fleet. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  // One round of mixing: ids that differ in their last character alone would sit side by side.
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The first slot of a server after `nowMs`: its own phase of the interval, the same on every replica. */
export function slotAfter(serverId: string, intervalMs: number, nowMs: number): number {
  const phase = hashOf(serverId) % intervalMs;
  const periods = Math.floor((nowMs - phase) / intervalMs) + 1;
  return periods * intervalMs + phase;
}

export interface SlotRequest {
  serverId: string;
  intervalMs: number;
  nowMs: number;
  /** How soon to look again at a failure that is not confirmed yet; null when there is none. */
  confirmInMs: number | null;
  reason: Reason;
  retryAfterMs?: number | undefined;
}

/** When to probe next: the server's slot, sooner to confirm a failure, later when it asked for that. */
export function nextSlot(request: SlotRequest): number {
  const regular = slotAfter(request.serverId, request.intervalMs, request.nowMs);
  if (request.reason === 'rate_limited') {
    const pause = Math.min(request.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
    return Math.max(regular, request.nowMs + pause);
  }
  return request.confirmInMs === null ? regular : Math.min(regular, request.nowMs + request.confirmInMs);
}

/**
 * How many late servers one sweep may take: what the whole fleet would give in that time, so that a
 * backlog is spread over an interval instead of fired at once; small fleets are not made to wait.
 */
export function lateQuota(probesPerSecond: number, sweepIntervalMs: number): number {
  return Math.max(20, Math.ceil((probesPerSecond * sweepIntervalMs) / 1000));
}
