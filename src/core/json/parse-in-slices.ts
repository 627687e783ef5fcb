import type { Sliced } from '../slices.ts';

/** What is given to JSON.parse at once: well under a millisecond, also for the worst of texts. */
const NATIVE_LENGTH = 8 * 1024;
/** More than a listing of 10,000 tools holds; what holds more takes seconds and much memory to make. */
export const MAX_VALUES = 600_000;
/** More than any listing has entries. */
const MAX_MEMBERS = 50_000;
/** More than a description, or a picture in one, that anybody could use. */
const MAX_TEXT_LENGTH = 1536 * 1024;
/** Deeper, nothing is looked ahead for: of what is nested like that no piece is small. */
const LOOKAHEAD_DEPTH = 32;
const STEPS_A_SLICE = 200;

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** JSON, as far as it was read, and more of it than is taken. */
export class JsonLimitError extends Error {
  readonly limit: 'size' | 'depth';

  constructor(message: string, limit: 'size' | 'depth' = 'size') {
    super(message);
    this.limit = limit;
  }
}

type Open =
  | { array: unknown[]; members: number }
  | { object: Record<string, unknown>; key: string; members: number };

/**
 * JSON.parse for texts of megabytes, with the same results: values that are small, as a tool is in a
 * listing, are parsed by JSON.parse itself, and only what holds them by the code here, without recursion.
 * Throws SyntaxError for what is no JSON, and JsonLimitError for what is out of all proportion: more than
 * `maxValues`, 50,000 members of one object or array, a text of a million characters and a half, or values
 * nested deeper than `maxDepth`.
 */
export function* parseInSlices(
  text: string,
  maxValues = MAX_VALUES,
  maxDepth = Number.POSITIVE_INFINITY,
): Sliced<unknown> {
  const open: Open[] = [];
  let at = skipSpace(text, 0);
  let steps = 0;
  let values = 0;
  for (;;) {
    steps += 1;
    if (steps % STEPS_A_SLICE === 0) yield;
    values += 1;
    if (values > maxValues) throw new JsonLimitError(`it holds more than ${maxValues} values`);
    const code = text.charCodeAt(at);
    let value: unknown;
    const isContainer = code === OPEN_ARRAY || code === OPEN_OBJECT;
    if (open.length > maxDepth) throw new JsonLimitError(`it is nested deeper than ${maxDepth}`, 'depth');
    let end = -1;
    if (!isContainer) {
      end = endOfScalar(text, at);
    } else if (open.length < LOOKAHEAD_DEPTH) {
      const found = endOfContainer(text, at);
      end = found.end;
      values += found.values;
    }
    if (end !== -1) {
      value = JSON.parse(text.slice(at, end));
      if (end - at > NATIVE_LENGTH / 4) yield;
      at = skipSpace(text, end);
    } else if (code === OPEN_ARRAY) {
      at = skipSpace(text, at + 1);
      if (text.charCodeAt(at) !== CLOSE_ARRAY) {
        open.push({ array: [], members: 0 });
        continue;
      }
      value = [];
      at = skipSpace(text, at + 1);
    } else {
      at = skipSpace(text, at + 1);
      if (text.charCodeAt(at) !== CLOSE_OBJECT) {
        const [key, next] = readKey(text, at);
        open.push({ object: {}, key, members: 0 });
        at = next;
        continue;
      }
      value = {};
      at = skipSpace(text, at + 1);
    }
    // The value is complete: it goes where it belongs, and may complete what holds it.
    for (;;) {
      const holder = open.at(-1);
      if (!holder) {
        if (at < text.length) throw new SyntaxError(`unexpected text after JSON at ${at}`);
        return value;
      }
      if ('array' in holder) holder.array.push(value);
      else put(holder.object, holder.key, value);
      holder.members += 1;
      if (holder.members > MAX_MEMBERS) {
        throw new JsonLimitError(`one list or object in it has more than ${MAX_MEMBERS} members`);
      }
      const next = text.charCodeAt(at);
      if (next === COMMA) {
        at = skipSpace(text, at + 1);
        if ('object' in holder) {
          const [key, after] = readKey(text, at);
          holder.key = key;
          at = after;
        }
        break;
      }
      if (next !== ('array' in holder ? CLOSE_ARRAY : CLOSE_OBJECT)) {
        throw new SyntaxError(`unexpected text in JSON at ${at}`);
      }
      open.pop();
      value = 'array' in holder ? holder.array : holder.object;
      at = skipSpace(text, at + 1);
      steps += 1;
      if (steps % STEPS_A_SLICE === 0) yield;
    }
  }
}

/** As JSON.parse does it: a member of that name, never the prototype. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    at += 1;
  }
}

function readKey(text: string, at: number): [key: string, next: number] {
  if (text.charCodeAt(at) !== QUOTE) throw new SyntaxError(`a name was expected in JSON at ${at}`);
  const end = endOfString(text, at);
  const key: unknown = JSON.parse(text.slice(at, end));
  const colon = skipSpace(text, end);
  if (text.charCodeAt(colon) !== COLON || typeof key !== 'string') {
    throw new SyntaxError(`a colon was expected in JSON at ${colon}`);
  }
  return [key, skipSpace(text, colon + 1)];
}

function endOfString(text: string, from: number): number {
  const limit = Math.min(text.length, from + MAX_TEXT_LENGTH);
  for (let at = from + 1; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  if (limit === text.length) throw new SyntaxError('a text in JSON has no end');
  throw new JsonLimitError(`one text in it is longer than ${MAX_TEXT_LENGTH} characters`);
}

function endOfScalar(text: string, from: number): number {
  if (text.charCodeAt(from) === QUOTE) return endOfString(text, from);
  let at = from;
  // Letters, digits and signs: JSON.parse says whether they are anything.
  for (;;) {
    const code = text.charCodeAt(at);
    const isPart = (code >= 48 && code <= 57) || (code >= 65 && code <= 122 && code !== 91 && code !== 93);
    if (!isPart && code !== 43 && code !== 45 && code !== 46) break;
    at += 1;
  }
  if (at === from) throw new SyntaxError(`a value was expected in JSON at ${from}`);
  return at;
}

/** Where the array or object that begins there ends, and how much is in it; -1 when it is too long to be parsed at once. */
function endOfContainer(text: string, from: number): { end: number; values: number } {
  const limit = Math.min(text.length, from + NATIVE_LENGTH);
  let depth = 0;
  let isText = false;
  let values = 0;
  for (let at = from; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (isText) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isText = false;
    } else if (code === QUOTE) {
      isText = true;
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth += 1;
      values += 1;
    } else if (code === COMMA) {
      values += 1;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth -= 1;
      if (depth === 0) return { end: at + 1, values };
    }
  }
  return { end: -1, values: 0 };
}
