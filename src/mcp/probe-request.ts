import type { CanarySettings } from '../core/monitor/canary-settings.ts';

/** What a probe is to do, besides finding out whether its target is well. */
export interface ProbeRequest {
  /** Ends the probe early; the outcome is then an internal fault, and says nothing about the target. */
  signal?: AbortSignal;
  /** Whether to list the inventory; default true. */
  inventory?: boolean;
  /** The one tool to call after the listing; without it, no tool is ever called. */
  canary?: CanarySettings | null;
}
