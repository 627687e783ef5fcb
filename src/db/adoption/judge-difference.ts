import type { Difference } from '../catalogue/compare-table.ts';
import { describeDifference } from '../catalogue/describe-difference.ts';

/**
 * blocking: the worker could not run. known: a variant that gateways are known to have. difference:
 * not as the contract has it, and left alone. extra: the gateway's own, and left alone.
 */
export type Severity = 'blocking' | 'known' | 'difference' | 'extra';

export interface Finding {
  severity: Severity;
  /** What was found, in a sentence. */
  text: string;
}

/** The tables that the worker reads or writes, and the unique keys that its upserts name. */
const WORKERS: Record<string, string[][]> = {
  mcp_server: [],
  mcp_tool: [['server_id', 'name']],
  mcp_resource: [['server_id', 'uri']],
  mcp_prompt: [['server_id', 'name']],
  mcp_server_health_check: [],
  system_event: [],
};

function isKnownVariant(table: string, difference: Difference): boolean {
  if (table !== 'verification' || !('column' in difference) || typeof difference.column !== 'string')
    return false;
  // Gateways exist with these two as text (and so with text defaults), and with a required type.
  if (['attempts', 'max_attempts'].includes(difference.column))
    return difference.kind === 'type' || difference.kind === 'default';
  return difference.column === 'type' && difference.kind === 'nullability';
}

function blocks(table: string, difference: Difference): boolean {
  const uniques = WORKERS[table];
  if (!uniques) return false;
  switch (difference.kind) {
    case 'missing table':
    case 'missing column':
      return true;
    case 'missing unique':
      return uniques.some((unique) => unique.join() === difference.columns.join());
    case 'missing primary key':
      return table === 'mcp_server'; // what our own tables refer to
    case 'type':
      return (
        table === 'mcp_server' &&
        difference.column === 'id' &&
        !/^(text|character varying)/.test(difference.actual)
      );
    case 'extra column':
      // The worker’s INSERT does not name it, so PostgreSQL would refuse every row.
      return table !== 'mcp_server' && !difference.column.nullable && difference.column.default === null;
    default:
      return false;
  }
}

/** What a difference means for the worker, and how to say it. */
export function judgeDifference(table: string, difference: Difference): Finding {
  const text = describeDifference(difference);
  if (blocks(table, difference)) {
    const why = difference.kind === 'extra column' ? ', but every new row has to give it' : '';
    return { severity: 'blocking', text: `${text}${why}` };
  }
  if (isKnownVariant(table, difference)) return { severity: 'known', text: `${text} (a known variant)` };
  const extra = difference.kind === 'extra column' || difference.kind === 'extra index';
  return { severity: extra ? 'extra' : 'difference', text };
}
