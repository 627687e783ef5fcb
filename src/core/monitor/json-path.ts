import { type JsonValue, query } from 'jsonpath-rfc9535';
import parse from 'jsonpath-rfc9535/parser';
import { measureJson } from './measure-json.ts';
import { filterProblem, worstCost } from './path-cost.ts';

const MAX_PATH_LENGTH = 300;
/** The parser tries every reading of a bracket within a bracket: the time doubles with each. */
const MAX_PARENTHESES = 4;
const MAX_FILTERS = 3;
/** Values of a document that is looked into at all. */
const MAX_VALUES = 10_000;
const MAX_DEPTH = 100;
/** Steps that all paths together may take on one document: a few dozen milliseconds. */
const MAX_STEPS = 60_000;

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

/** What a path selects, or why it was not looked for. */
export type Selected = { values: unknown[] } | { problem: string };

/** Makes what selects values of one document by a path: bounded over all paths, whatever the document is. */
export function createSelector(document: unknown): (path: string) => Selected {
  const { values, depth } = measureJson(document, MAX_VALUES);
  let steps = 0;
  return (path) => {
    const wrong = pathProblem(path);
    if (wrong !== null) return { problem: `the path ${wrong}` };
    if (values > MAX_VALUES) return { problem: `the result has more than ${MAX_VALUES} values` };
    if (depth > MAX_DEPTH) return { problem: `the result is nested more than ${MAX_DEPTH} levels deep` };
    steps += worstCost(parse(path), values, depth);
    if (steps > MAX_STEPS) return { problem: 'the paths would take too long on a result of this size' };
    return { values: query(document as JsonValue, path) };
  };
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
