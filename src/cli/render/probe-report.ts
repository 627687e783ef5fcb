import { type Classification, classify } from '../../core/classify.ts';
import { INVENTORY_KINDS, type InventoryKind, PHASES, type ProbeOutcome } from '../../core/outcome.ts';
import type { TransportType } from '../../core/target.ts';
import { escapeText } from './escape.ts';
import { formatCount } from './format-values.ts';
import { renderPhaseBars } from './phase-bars.ts';
import type { Style } from './style.ts';
import { cutText } from './text-width.ts';

const TRANSPORT_NAMES: Readonly<Record<TransportType, string>> = {
  http: 'streamable HTTP',
  sse: 'HTTP with SSE',
  websocket: 'WebSocket',
  stdio: 'stdio',
};
const KIND_NOUNS: Readonly<Record<InventoryKind, string>> = {
  tools: 'tool',
  resources: 'resource',
  resourceTemplates: 'resource template',
  prompts: 'prompt',
};

export interface ReportOptions {
  /** As the user typed it, without credentials. */
  target: string;
  listTools: boolean;
  /** Takes what the user gave as secret out of what the target said. */
  redact(text: string): string;
}

const round = (ms: number) => Math.round(ms * 100) / 100;

function toolNames(outcome: ProbeOutcome): string[] {
  return (outcome.inventory?.tools ?? []).map(({ name }) =>
    typeof name === 'string' ? name : '(without a name)',
  );
}

function redactAll(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactAll(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redactAll(item, redact)]));
}

/** The probe for programs; the counts are null when listing was not reached. */
export function toProbeJson(outcome: ProbeOutcome, options: ReportOptions): unknown {
  const { verdict, reason, message, suggestion } = classify(outcome);
  const { inventory, phases, totalMs } = outcome;
  const times = PHASES.flatMap((phase) => {
    const ms = phases[phase];
    return ms === undefined ? [] : [[`${phase}Ms`, round(ms)]];
  });
  const { redact } = options;
  return {
    target: options.target,
    transport: outcome.transport,
    era: outcome.era,
    protocolVersion: outcome.protocolVersion,
    verdict,
    reason,
    message: redact(message),
    suggestion,
    serverInfo: redactAll(outcome.serverInfo, redact),
    capabilities: redactAll(outcome.capabilities, redact),
    inventory: Object.fromEntries(
      INVENTORY_KINDS.map((kind) => [kind, inventory ? inventory[kind].length : null]),
    ),
    phases: { ...Object.fromEntries(times), totalMs: round(totalMs) },
    footprint: outcome.footprint,
    ...(stderrOf(outcome) ? { stderr: redact(stderrOf(outcome)) } : {}),
    ...(options.listTools ? { tools: toolNames(outcome).map(redact) } : {}),
  };
}

/** The last lines of a command that ended before it answered; empty for everything else. */
function stderrOf({ fault }: ProbeOutcome): string {
  return fault?.kind === 'exit' ? fault.stderr : '';
}

function describeStderr(outcome: ProbeOutcome): string[] {
  const lines = stderrOf(outcome)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => `stderr      ${escapeText(line)}`);
}

function describeVerdict({ verdict, reason, message, suggestion }: Classification, style: Style): string[] {
  const head = style.bold(style.verdict(verdict));
  const lines = [`${head}  ${reason}`, `  ${escapeText(message)}`];
  return reason === 'ok' ? lines : [...lines, `  What to do: ${suggestion}`];
}

function describeServer({ serverInfo, transport, era, protocolVersion }: ProbeOutcome): string[] {
  const lines: string[] = [];
  if (serverInfo)
    lines.push(`server      ${escapeText(`${serverInfo.title ?? serverInfo.name} ${serverInfo.version}`)}`);
  const parts = [
    transport ? TRANSPORT_NAMES[transport] : undefined,
    era ? `${era} era` : undefined,
    protocolVersion ? `protocol ${escapeText(protocolVersion)}` : undefined,
  ].filter((part) => part !== undefined);
  if (parts.length > 0) lines.push(`spoken      ${parts.join(', ')}`);
  return lines;
}

function describeInventory({ inventory, footprint, warnings }: ProbeOutcome): string[] {
  const lines: string[] = [];
  if (inventory) {
    const counts = INVENTORY_KINDS.map((kind) => formatCount(inventory[kind].length, KIND_NOUNS[kind]));
    lines.push(`inventory   ${counts.join(', ')}`);
  }
  const { sessionsOpened, sessionsClosed } = footprint;
  if (sessionsOpened > 0)
    lines.push(`footprint   ${formatCount(sessionsOpened, 'session')} opened, ${sessionsClosed} closed`);
  for (const { message } of warnings) lines.push(`note        ${escapeText(message)}`);
  return lines;
}

function describeTools(outcome: ProbeOutcome, style: Style): string[] {
  const tools = outcome.inventory?.tools ?? [];
  if (tools.length === 0) return ['', '  no tools'];
  return [
    '',
    ...tools.map(({ name, description }) => {
      const label = escapeText(typeof name === 'string' ? name : '(without a name)');
      const about = typeof description === 'string' ? escapeText(description.split('\n')[0] ?? '') : '';
      return cutText(`  ${label}${about ? `  ${about}` : ''}`, style.columns);
    }),
  ];
}

/** The probe for people. Ends with a line break. */
export function renderProbeText(outcome: ProbeOutcome, options: ReportOptions, style: Style): string {
  const lines = [
    ...describeVerdict(classify(outcome), style),
    '',
    `target      ${escapeText(options.target)}`,
    ...describeServer(outcome),
    ...describeInventory(outcome),
    ...describeStderr(outcome),
    '',
    renderPhaseBars(outcome.phases, outcome.totalMs, style).trimEnd(),
    ...(options.listTools ? describeTools(outcome, style) : []),
  ];
  return `${lines.map(options.redact).join('\n')}\n`;
}
