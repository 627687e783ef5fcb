/** The rules of a setting's value: what system_config.validation_schema may hold. */
export interface ValueRules {
  type?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: unknown[];
  required?: boolean | string[];
  format?: string;
  items?: object;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  email: /^[^\s@]+@[^\s@]+$/,
  uri: /^[a-z][a-z0-9+.-]*:\S+$/i,
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/,
};

/** A value as a message shows it. */
const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

function checkNumber(value: number, { minimum, maximum }: ValueRules): string | null {
  if (minimum !== undefined && value < minimum) return `${value} is less than ${minimum}`;
  if (maximum !== undefined && value > maximum) return `${value} is more than ${maximum}`;
  return null;
}

function checkText(value: string, { minLength, maxLength, pattern, format }: ValueRules): string | null {
  if (minLength !== undefined && value.length < minLength)
    return `it is shorter than ${minLength} characters`;
  if (maxLength !== undefined && value.length > maxLength) return `it is longer than ${maxLength} characters`;
  const known = format === undefined ? undefined : FORMATS[format];
  if (known && !known.test(value)) return `${show(value)} is not a ${format}`;
  if (pattern === undefined) return null;
  try {
    return new RegExp(pattern, 'u').test(value) ? null : `${show(value)} does not match ${pattern}`;
  } catch {
    return `the pattern ${show(pattern)} cannot be used`;
  }
}

function checkItems(value: unknown[], { items }: ValueRules): string | null {
  if (items === undefined) return null;
  for (const [place, item] of value.entries()) {
    const problem = checkValue(item, items);
    if (problem !== null) return `item ${place}: ${problem}`;
  }
  return null;
}

function checkKeys(value: object, { required }: ValueRules): string | null {
  const missing = Array.isArray(required) ? required.filter((key) => !(key in value)) : [];
  return missing.length > 0 ? `${missing.join(', ')} is missing` : null;
}

/** What is wrong with a value, in a sentence; null when it keeps to the rules. */
export function checkValue(value: unknown, rules: ValueRules): string | null {
  if (value === null || value === undefined) return rules.required === true ? 'it has no value' : null;
  if (rules.type !== undefined && TYPES[rules.type]?.(value) === false)
    return `${show(value)} is not of type ${rules.type}`;
  if (rules.enum && !rules.enum.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value)))
    return `${show(value)} is not one of ${rules.enum.map(show).join(', ')}`;
  if (typeof value === 'number') return checkNumber(value, rules);
  if (typeof value === 'string') return checkText(value, rules);
  if (Array.isArray(value)) return checkItems(value, rules);
  return typeof value === 'object' ? checkKeys(value, rules) : null;
}
