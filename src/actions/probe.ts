import type { ProbeCommand } from '../cli/actions.ts';
import { faultOutcome, type ProbeOutcome } from '../core/outcome.ts';
import { createEgressPolicy } from '../mcp/egress.ts';
import { probeAny } from '../mcp/probe-any.ts';
import { createProber } from '../mcp/prober.ts';
import { targetOfText } from '../mcp/target.ts';
import type { ActionContext } from './context.ts';

/** One probe of a typed target: no database, and no egress policy unless asked for, since the user typed the address. */
export async function probeOnce(context: ActionContext, command: ProbeCommand): Promise<ProbeOutcome> {
  const config = context.config();
  const words = command.target.kind === 'url' ? [command.target.url] : command.target.words;
  const target = targetOfText(words, {
    transport: command.transport,
    era: command.era,
    headers: command.headers,
    bearer: command.bearer,
    timeoutMs: command.timeoutMs ?? config.probe.timeoutMs,
  });
  if ('kind' in target) return faultOutcome(target);
  const prober = createProber({
    clientInfo: { name: 'mcp-vitals', version: context.version },
    egress: createEgressPolicy({
      mode: command.strict === true ? 'strict' : 'open',
      allow: config.egress.allow,
    }),
    limits: { processes: config.stdioMaxProcesses },
    environment: config.childEnvironment,
  });
  try {
    const request = { signal: context.stop };
    return command.transport === undefined
      ? await probeAny(prober, target, request)
      : await prober.probe(target, request);
  } finally {
    await prober.close();
  }
}
