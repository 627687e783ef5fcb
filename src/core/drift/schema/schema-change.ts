/**
 * How a JSON Schema became another one, for whoever sends what it describes: narrowed means that
 * something that was accepted may be refused now, widened that more is accepted, noted that the same is.
 */
export interface SchemaChange {
  effect: 'narrowed' | 'widened' | 'noted';
  code: SchemaCode;
  /** Where: `filter.tags[]`; empty for the whole. */
  path: string;
  /** What, to be put behind the path: "now takes only integer". */
  text: string;
}

export const SCHEMA_CODES = [
  'property_removed',
  'property_added',
  'required_added',
  'required_removed',
  'type_changed',
  'values_removed',
  'values_added',
  'limit_changed',
  'pattern_changed',
  'format_changed',
  'closed',
  'opened',
  'alternative_removed',
  'alternative_added',
  'rule_changed',
  'default_changed',
  'description_changed',
  'not_compared',
] as const;
export type SchemaCode = (typeof SCHEMA_CODES)[number];
