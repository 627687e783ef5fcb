import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSelector, pathProblem } from '../../../../src/core/monitor/json-path.ts';

const selectValues = (document: unknown, path: string) => createSelector(document)(path);

const document = {
  structuredContent: {
    items: [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ],
    total: 2,
    'odd name': true,
  },
  content: [{ type: 'text', text: 'hi' }],
};

test.each<[string, unknown[]]>([
  ['$.structuredContent.total', [2]],
  ["$.structuredContent['odd name']", [true]],
  ['$.structuredContent.items[-1].name', ['b']],
  ['$.structuredContent.items[?@.id == 2].name', ['b']],
  ['$.structuredContent.items[?@.id > 1 && @.name == "b"].id', [2]],
  ['$.structuredContent.items[?length(@.name) == 1].id', [1, 2]],
  ['$..text', ['hi']],
  ['$.nothing', []],
  ['$.constructor', []],
  ['$.__proto__', []],
  ['$.structuredContent.items.length', []],
])('%s', (path, values) => {
  const selected = selectValues(document, path);
  expect('values' in selected && [...selected.values].sort()).toEqual(values);
});

describe('what would stop the worker is refused', () => {
  /** Each of these takes seconds or for ever when it is simply tried. */
  const hostile = [
    `$[?${'length('.repeat(40)}@${')'.repeat(40)} == 1]`,
    `$[?${'('.repeat(60)}@.a${')'.repeat(60)}]`,
    `$${'[?@'.repeat(30)}${']'.repeat(30)}`,
    '$[?search(@.a, "(a+)+$")]',
  ];
  test.each(hostile)('%s', (path) => {
    const startedAt = performance.now();
    expect(pathProblem(path)).not.toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  const wide = { rows: Array.from({ length: 800 }, (_, id) => ({ id, tags: [1, 2, 3] })) };
  let deep: Record<string, unknown> = { a: 1 };
  for (let depth = 0; depth < 90; depth += 1) deep = { a: deep, b: deep.a };
  test.each<[string, unknown]>([
    ['$..*..*..*', wide],
    ['$..[?$..id]', wide],
    ['$[*,*,*][*,*,*][*,*,*,*,*,*,*,*,*,*]', wide],
    ['$..[?count($..*) == 1]', wide],
    ['$..*..a', deep],
    ['$..[?@..a]', wide],
  ])('%s on a large result', (path, value) => {
    expect(pathProblem(path)).toBeNull();
    expect(selectValues(value, path)).toEqual({
      problem: expect.stringMatching(/too long|more than/),
    });
  });

  test.each(['$.rows[?@.id == 7].tags[0]', '$..id', '$.rows[*].tags[*]'])('but not %s', (path) => {
    expect(selectValues(wide, path)).toHaveProperty('values');
  });
});

test('many paths that are quick enough, one by one, share what one may take', () => {
  const select = createSelector({ rows: Array.from({ length: 3_000 }, (_, id) => ({ id, name: 'x' })) });
  const selected = Array.from({ length: 20 }, () => select('$..id'));
  expect(selected[0]).toHaveProperty('values');
  expect(selected.at(-1)).toEqual({ problem: expect.stringContaining('too long') });
});

test('a result that is too large or too deep is not looked into', () => {
  expect(selectValues(Array(30_000).fill(0), '$')).toEqual({
    problem: 'the result has more than 10000 values',
  });
  let deep: unknown = 1;
  for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
  expect(selectValues(deep, '$')).toEqual({ problem: 'the result is nested more than 100 levels deep' });
});

const segment = fc.constantFrom(
  '.a',
  '..a',
  '[*]',
  '..*',
  '[0]',
  '[1:]',
  '[::-1]',
  '[*,*]',
  "['b',0,*]",
  '[?@.a]',
  '[?@.a == @.b]',
  '[?count(@..*) > 1]',
);

test('ends soon on any document, and never throws', () => {
  const paths = fc.array(segment, { maxLength: 8 }).map((segments) => `$${segments.join('')}`);
  fc.assert(
    fc.property(paths, fc.jsonValue({ maxDepth: 6 }), (path, value) => {
      const startedAt = performance.now();
      const selected = selectValues(value, path);
      expect('values' in selected || 'problem' in selected).toBe(true);
      // A bound for a machine that others use, too: without the estimate some of these take minutes.
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }),
    { numRuns: 300 },
  );
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `$${text}`),
      ),
      (path) => {
        const wrong = pathProblem(path);
        expect('problem' in selectValues(document, path)).toBe(wrong !== null);
      },
    ),
  );
});
