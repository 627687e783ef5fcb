import type { Definition } from '../core/outcome.ts';
import { encodeHeaderValue } from './transports/stateless-headers.ts';

const HEADER_KEY = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;
const MAX_DEPTH = 20;

/** The headers that a tool of the stateless era wants its arguments repeated in (`x-mcp-header`). */
export function callHeaders(tool: Definition, args: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {};
  const visit = (schema: unknown, values: unknown, depth: number): void => {
    const properties: unknown = Reflect.get(Object(schema), 'properties');
    if (depth > MAX_DEPTH || typeof values !== 'object' || values === null) return;
    // The arguments are ours and few; the schema may be anything.
    for (const [name, value] of Object.entries(values)) {
      if (!Object.hasOwn(Object(properties), name)) continue;
      const property: unknown = Reflect.get(Object(properties), name);
      const header: unknown = Reflect.get(Object(property), HEADER_KEY);
      const text = textOf(value);
      if (typeof header === 'string' && TOKEN.test(header) && text !== null) {
        headers[`mcp-param-${header.toLowerCase()}`] = encodeHeaderValue(text);
      }
      visit(property, value, depth + 1);
    }
  };
  visit(tool.inputSchema, args, 0);
  return headers;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : null;
}
