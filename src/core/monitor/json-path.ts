import { type JsonValue, query } from 'jsonpath-rfc9535';
import parse from 'jsonpath-rfc9535/parser';
import { measureJson } from './measure-json.ts';
import { filterProblem, worstCost } from './path-cost.ts';

const MAX_PATH_LENGTH = 300;
/** The parser tries every reading of a bracket within a bracket: the time doubles with each. */
const MAX_PARENTHESES = 4;
const MAX_FILTERS = 3;
/** Values of a document that is looked into at all. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 100;
/** Steps that one path may take on one document: some ten milliseconds. */
const MAX_STEPS = 200_000;

/** What is wrong with a JSONPath; null when it can be used. */
export function pathProblem(path: string): string | null {
  if (path === '' || path.length > MAX_PATH_LENGTH) return `is no text of 1 to ${MAX_PATH_LENGTH} characters`;
  if (count(path, '(') > MAX_PARENTHESES) return `has more than ${MAX_PARENTHESES} parentheses`;
  if (count(path, '?') > MAX_FILTERS) return `has more than ${MAX_FILTERS} filters`;
  try {
    return filterProblem(parse(path), path);
  } catch (error) {
    return `is no JSONPath (RFC 9535): ${syntaxProblem(error)}`;
  }
}

/** What a path selects of a document, or why it was not looked for; bounded, whatever the document is. */
export function selectValues(document: unknown, path: string): { values: unknown[] } | { problem: string } {
  const wrong = pathProblem(path);
  if (wrong !== null) return { problem: `the path ${wrong}` };
  const { values, depth } = measureJson(document, MAX_VALUES);
  if (values > MAX_VALUES) return { problem: `the result has more than ${MAX_VALUES} values` };
  if (depth > MAX_DEPTH) return { problem: `the result is nested more than ${MAX_DEPTH} levels deep` };
  if (worstCost(parse(path), values, depth) > MAX_STEPS) {
    return { problem: 'the path would take too long on a result of this size' };
  }
  return { values: query(document as JsonValue, path) };
}

const count = (text: string, character: string): number => text.split(character).length - 1;

function syntaxProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const column = columnOf(error);
  const found = /but (.{1,40}?) found\.?$/s.exec(error.message)?.[1];
  const what = found === undefined ? 'it cannot be read' : `${found} was not expected`;
  return column === null ? what : `${what} at character ${column}`;
}

function columnOf(error: Error): number | null {
  const offset: unknown =
    'location' in error ? Reflect.get(Object(Reflect.get(Object(error.location), 'start')), 'offset') : null;
  return typeof offset === 'number' ? offset + 1 : null;
}
