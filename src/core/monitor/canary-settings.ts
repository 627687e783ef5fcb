import { pathProblem } from './json-path.ts';
import { measureJson } from './measure-json.ts';
import type { Reader } from './reader.ts';

/** One tool that is called at every probe, and what its result has to be. */
export interface CanarySettings {
  tool: string;
  arguments: Record<string, unknown>;
  /** The tool may be called though it is not marked as read-only. */
  allow: boolean;
  timeoutMs: number;
  expect: CanaryExpectation;
}

export interface CanaryExpectation {
  isError: boolean;
  /** Text that the result holds somewhere. */
  contains: string | null;
  /** What every value that a JSONPath (RFC 9535) selects has to equal; it has to select one at least. */
  jsonPath: readonly { path: string; equals: unknown }[];
  withinMs: number | null;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_TIMEOUT_MS = 60_000;
const MAX_TOOL_LENGTH = 200;
const MAX_TEXT_LENGTH = 1_000;
const MAX_ASSERTIONS = 20;
/** Fixed arguments that a person wrote are small; these are sent again and again. */
const MAX_VALUES = 1_000;
const MAX_CHARACTERS = 16_384;
const MAX_DEPTH = 20;

/** The canary, or null where there is none, or anything in it is wrong. */
export function readCanary(reader: Reader | null): CanarySettings | null {
  if (!reader) return null;
  const problemsBefore = reader.problemCount;
  reader.known(['tool', 'arguments', 'allow', 'timeoutMs', 'expect']);
  const tool = reader.text('tool', MAX_TOOL_LENGTH);
  if ((reader.value('tool') ?? null) === null) reader.problem('tool', 'is missing');
  const args = reader.value('arguments') ?? {};
  if (typeof args !== 'object' || Array.isArray(args)) reader.problem('arguments', 'is no object');
  else if (!isSmall(args)) reader.problem('arguments', TOO_LARGE);
  const canary = {
    arguments: { ...args },
    allow: reader.flag('allow') ?? false,
    timeoutMs: reader.integer('timeoutMs', 1, MAX_TIMEOUT_MS) ?? DEFAULT_TIMEOUT_MS,
    expect: readExpectation(reader.child('expect')),
  };
  return tool === null || reader.problemCount > problemsBefore ? null : { tool, ...canary };
}

function readExpectation(reader: Reader | null): CanaryExpectation {
  if (!reader) return { isError: false, contains: null, jsonPath: [], withinMs: null };
  reader.known(['isError', 'contains', 'jsonPath', 'withinMs']);
  return {
    isError: reader.flag('isError') ?? false,
    contains: reader.text('contains', MAX_TEXT_LENGTH),
    jsonPath: reader.children('jsonPath', MAX_ASSERTIONS).map(readAssertion),
    withinMs: reader.integer('withinMs', 1, MAX_TIMEOUT_MS),
  };
}

function readAssertion(reader: Reader): { path: string; equals: unknown } {
  reader.known(['path', 'equals']);
  const path = reader.value('path');
  const equals = reader.value('equals');
  const wrong = typeof path === 'string' ? pathProblem(path) : 'is no text';
  if (wrong !== null) reader.problem('path', wrong);
  if (!reader.has('equals')) reader.problem('equals', 'is missing');
  else if (!isSmall(equals)) reader.problem('equals', TOO_LARGE);
  return { path: typeof path === 'string' ? path : '', equals };
}

const TOO_LARGE = `is too large: at most ${MAX_VALUES} values, ${MAX_CHARACTERS} characters and ${MAX_DEPTH} levels`;

function isSmall(value: unknown): boolean {
  const { values, characters, depth } = measureJson(value, MAX_VALUES);
  return values <= MAX_VALUES && characters <= MAX_CHARACTERS && depth <= MAX_DEPTH;
}
