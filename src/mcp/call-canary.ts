import { z } from 'zod';
import { judgeResult } from '../core/monitor/canary-result.ts';
import type { CanarySettings } from '../core/monitor/canary-settings.ts';
import type { CanaryOutcome, Definition } from '../core/outcome.ts';
import type { Opened } from './opened.ts';

/** What a canary's answer may hold: beyond it, reading it would hold up every other probe. */
export const CANARY_ANSWER_BYTES = 1024 * 1024;

const AnyResult = z.looseObject({});

/** What `callCanary` needs of the probe that it is a part of. */
export interface CanaryCall {
  opened: Opened;
  canary: CanarySettings;
  /** The listing that the tool has to be in. */
  tools: readonly Definition[];
  /** What is left of the probe. */
  leftMs: number;
  sdkTimeoutMs: number;
  /** Told just before something is sent. */
  onCall: (tool: Definition) => void;
  describe: (error: unknown) => string;
}

/**
 * Calls the one tool that the server's settings name, once, where it may be called: it is listed, and
 * marked as read-only or allowed in so many words. Never rejects: the tool's failure is in the outcome.
 */
export async function callCanary(call: CanaryCall): Promise<CanaryOutcome> {
  const { canary, tools, leftMs } = call;
  const outcome = (failure: string | null, ms = 0, allowed = true): CanaryOutcome => ({
    ok: failure === null,
    tool: canary.tool,
    allowed,
    ms,
    failure,
  });
  const listed = tools.filter(({ name }) => name === canary.tool);
  const [tool] = listed;
  if (!tool) return outcome(`the tool ${canary.tool} is not in its listing`);
  if (!canary.allow && !listed.every(isReadOnly)) {
    const message = `the tool ${canary.tool} is not marked as read-only, and not explicitly allowed: it was not called`;
    return outcome(message, 0, false);
  }
  const limitMs = Math.min(canary.timeoutMs, leftMs);
  if (limitMs <= 0) return outcome(`no time was left to call ${canary.tool} within the probe’s deadline`);
  call.onCall(tool);
  const startedAt = performance.now();
  let failure: string | null;
  try {
    const result = await request(call, limitMs);
    failure = shortfall(result) ?? judgeResult(canary.expect, result, performance.now() - startedAt);
  } catch (error) {
    failure = call.describe(error);
  }
  const told = failure === null ? null : `the call of ${canary.tool} failed: ${failure}`;
  return outcome(told, performance.now() - startedAt);
}

function isReadOnly({ annotations }: Definition): boolean {
  return Reflect.get(Object(annotations), 'readOnlyHint') === true;
}

/** Rejects as well when no answer came in time; a server with a handshake is told then that it may stop. */
async function request(
  { opened, canary, sdkTimeoutMs }: CanaryCall,
  limitMs: number,
): Promise<Record<string, unknown>> {
  const { signal, ...stop } = stopper(opened);
  const params = { name: canary.tool, arguments: canary.arguments };
  const options = { timeout: sdkTimeoutMs, ...(signal ? { signal } : {}) };
  const answer = opened.protocol.request({ method: 'tools/call', params }, AnyResult, options);
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${Math.round(limitMs)} ms`));
      stop.now();
    }, limitMs);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
    // What becomes of an answer that nobody waits for any more is of no interest.
    answer.catch(() => undefined);
  }
}

/** In the stateless era there is nothing to cancel by: the end of the exchange is the sign. */
function stopper({ era }: Opened): { signal?: AbortSignal; now: () => void } {
  if (era === 'stateless') return { now: () => undefined };
  const controller = new AbortController();
  return { signal: controller.signal, now: () => controller.abort(new Error('no answer in time')) };
}

/** What makes a result none at all: it wants something first that a prober does not give. */
function shortfall({ resultType, task }: Record<string, unknown>): string | null {
  if (resultType === 'input_required') return 'it asks for input before it answers';
  return typeof task === 'object' && task !== null ? 'it answers with a task in place of a result' : null;
}
