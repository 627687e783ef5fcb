import type { CanaryExpectation } from './canary-settings.ts';
import { createSelector } from './json-path.ts';
import { measureJson } from './measure-json.ts';

/** What a message shows of a result: enough to know what it was. */
const MAX_SHOWN = 80;
const MAX_ERROR_SHOWN = 160;
/** A JSON text beyond it is not read a second time. */
const MAX_JSON_LENGTH = 1024 * 1024;
const MAX_COMPARED = 2_000;

/**
 * What a tool's result fails of what is expected; null when it is all as it should be. The document that
 * paths are about is the result as sent, and `json`: its first text, where that is JSON.
 */
export function judgeResult(
  expect: CanaryExpectation,
  result: Record<string, unknown>,
  tookMs: number,
): string | null {
  const isError = result.isError === true;
  if (isError !== expect.isError) {
    if (!isError) return 'the tool succeeded, and was to answer with an error';
    const told = textsOf(result)[0];
    return told === undefined
      ? 'the tool answered with an error'
      : `the tool answered with an error: ${cut(told, MAX_ERROR_SHOWN)}`;
  }
  if (expect.contains !== null && !holds(result, expect.contains)) {
    return `the result does not contain ${shown(expect.contains)}`;
  }
  const wrong = expect.jsonPath.length === 0 ? null : judgePaths(expect.jsonPath, documentOf(result));
  if (wrong !== null) return wrong;
  const { withinMs } = expect;
  return withinMs !== null && tookMs > withinMs
    ? `it took ${Math.ceil(tookMs)} ms, and was to take at most ${withinMs} ms`
    : null;
}

function judgePaths(assertions: CanaryExpectation['jsonPath'], document: unknown): string | null {
  const select = createSelector(document);
  for (const { path, equals } of assertions) {
    const selected = select(path);
    if ('problem' in selected) return `${path}: ${selected.problem}`;
    if (selected.values.length === 0) return `${path} selects nothing of the result`;
    const other = selected.values.find((value) => !isSameJson(value, equals));
    if (other !== undefined) return `${path} is ${shown(other)}, and was to be ${shown(equals)}`;
  }
  return null;
}

/** Its texts, and those of the resources in it. */
function textsOf({ content }: Record<string, unknown>): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown) => {
    const { text, resource } = Object(block);
    if (typeof text === 'string') return [text];
    const inner: unknown = Object(resource).text;
    return typeof inner === 'string' ? [inner] : [];
  });
}

/** Whether a text is in the result's texts, or in a text anywhere in its structured content. */
function holds(result: Record<string, unknown>, wanted: string): boolean {
  if (textsOf(result).some((text) => text.includes(wanted))) return true;
  const open: unknown[] = [result.structuredContent];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string' && value.includes(wanted)) return true;
    if (typeof value === 'object' && value !== null)
      for (const member of Object.values(value)) open.push(member);
  }
  return false;
}

function documentOf(result: Record<string, unknown>): unknown {
  const [text = ''] = textsOf(result);
  if (text.length > MAX_JSON_LENGTH) return result;
  try {
    return { ...result, json: JSON.parse(text) };
  } catch {
    return result;
  }
}

/** Equality of JSON values: the order of members does not count. What is expected is small, so this is. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every(
    (name) => Object.hasOwn(other, name) && isSameJson(Reflect.get(one, name), Reflect.get(other, name)),
  );
}

function shown(value: unknown): string {
  const { values, depth } = measureJson(value, MAX_COMPARED);
  if (values >= MAX_COMPARED || depth > 100) return Array.isArray(value) ? 'a large array' : 'a large object';
  return cut(
    typeof value === 'string'
      ? JSON.stringify(value.slice(0, MAX_SHOWN + 1))
      : (JSON.stringify(value) ?? 'nothing'),
    MAX_SHOWN,
  );
}

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
