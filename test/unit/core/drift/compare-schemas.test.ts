import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSchemas as compareInSlices } from '../../../../src/core/drift/schema/compare-schemas.ts';
import { runAtOnce } from '../../../../src/core/slices.ts';

const compareSchemas = (before: unknown, after: unknown) => runAtOnce(compareInSlices(before, after));

/** `effect code path`, as the tables below write it. */
const compared = (before: unknown, after: unknown): string[] =>
  compareSchemas(before, after)
    .map(({ effect, code, path }) => `${effect} ${code} ${path}`.trim())
    .sort();

const object = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest });
const text = { type: 'string' };
const number = { type: 'number' };

const TABLE: [what: string, before: unknown, after: unknown, expected: string[]][] = [
  ['nothing', object({ a: text }), object({ a: text }), []],
  ['a property is gone', object({ a: text, b: text }), object({ a: text }), ['narrowed property_removed b']],
  [
    'an optional property is new',
    object({ a: text }),
    object({ a: text, b: text }),
    ['widened property_added b'],
  ],
  [
    'a required property is new',
    object({ a: text }),
    object({ a: text, b: text }, { required: ['b'] }),
    ['narrowed required_added b'],
  ],
  [
    'an optional property became required',
    object({ a: text }),
    object({ a: text }, { required: ['a'] }),
    ['narrowed required_added a'],
  ],
  [
    'a required property became optional',
    object({ a: text }, { required: ['a'] }),
    object({ a: text }),
    ['widened required_removed a'],
  ],
  ['something unnamed is required', {}, { required: ['x'] }, ['narrowed required_added x']],
  [
    'what was required without a description gets a type',
    object({}, { required: ['x'] }),
    object({ x: number }, { required: ['x'] }),
    ['narrowed type_changed x'],
  ],
  [
    'what was required without a description is described as it had to be',
    object({}, { required: ['x'], additionalProperties: text }),
    object({ x: text }, { required: ['x'], additionalProperties: text }),
    [],
  ],
  ['another type', object({ a: text }), object({ a: number }), ['narrowed type_changed a']],
  ['number to integer', number, { type: 'integer' }, ['narrowed type_changed']],
  ['integer to number', { type: 'integer' }, number, ['widened type_changed']],
  ['null is taken, too', text, { type: ['string', 'null'] }, ['widened type_changed']],
  ['null is taken no more', { type: ['string', 'null'] }, text, ['narrowed type_changed']],
  ['a type where there was none', {}, text, ['narrowed type_changed']],
  ['no type any more', text, {}, ['widened type_changed']],
  ['no type any more, as true', text, true, ['widened type_changed']],
  ['nothing is taken any more', text, false, ['narrowed type_changed']],
  ['a value is gone', { enum: ['a', 'b'] }, { enum: ['a'] }, ['narrowed values_removed']],
  ['a value is new', { enum: ['a'] }, { enum: ['a', 'b'] }, ['widened values_added']],
  [
    'one value for another',
    { enum: ['a'] },
    { enum: ['b'] },
    ['narrowed values_removed', 'widened values_added'],
  ],
  [
    'another type for the same values',
    { enum: ['1', 1] },
    { enum: ['1', 1], type: 'integer' },
    ['narrowed values_removed'],
  ],
  ['the type that the values have', { enum: ['a'] }, { enum: ['a'], type: 'string' }, []],
  ['a lower bound that bounds nothing', text, { ...text, minLength: 0 }, []],
  ['const for enum', { enum: ['a', 'b'] }, { const: 'a' }, ['narrowed values_removed']],
  ['the order of values', { enum: ['a', { x: 1, y: 2 }] }, { enum: [{ y: 2, x: 1 }, 'a'] }, []],
  [
    'a list of values where there was none',
    text,
    { type: 'string', enum: ['a'] },
    ['narrowed values_removed'],
  ],
  ['no list of values any more', { type: 'string', enum: ['a'] }, text, ['widened values_added']],
  ['a type beside the values', { enum: ['a'] }, { type: 'string', enum: ['a'] }, []],
  ['a lower bound', number, { type: 'number', minimum: 1 }, ['narrowed limit_changed']],
  ['a higher lower bound', { minimum: 1 }, { minimum: 2 }, ['narrowed limit_changed']],
  ['a lower lower bound', { minimum: 2 }, { minimum: 1 }, ['widened limit_changed']],
  [
    'an exclusive bound for an inclusive',
    { minimum: 1 },
    { exclusiveMinimum: 1 },
    ['narrowed limit_changed'],
  ],
  ['draft 4’s exclusive bound', { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }, []],
  ['a lower upper bound', { maximum: 9 }, { maximum: 8 }, ['narrowed limit_changed']],
  ['no upper bound', { maximum: 9 }, {}, ['widened limit_changed']],
  ['a bound of what is no number', { type: 'string', minimum: 1 }, { type: 'string', minimum: 5 }, []],
  ['a coarser step', { multipleOf: 2 }, { multipleOf: 4 }, ['narrowed limit_changed']],
  ['a finer step', { multipleOf: 4 }, { multipleOf: 2 }, ['widened limit_changed']],
  ['shorter texts', { maxLength: 9 }, { maxLength: 5 }, ['narrowed limit_changed']],
  ['longer texts', { maxLength: 5 }, { maxLength: 9 }, ['widened limit_changed']],
  ['more items at least', { minItems: 1 }, { minItems: 2 }, ['narrowed limit_changed']],
  ['each item once', { type: 'array' }, { type: 'array', uniqueItems: true }, ['narrowed limit_changed']],
  ['a pattern', text, { type: 'string', pattern: '^a' }, ['narrowed pattern_changed']],
  ['another pattern', { pattern: '^a' }, { pattern: '^b' }, ['narrowed pattern_changed']],
  ['no pattern', { pattern: '^a' }, {}, ['widened pattern_changed']],
  ['a format', text, { type: 'string', format: 'uri' }, ['narrowed format_changed']],
  ['closed', object({}), object({}, { additionalProperties: false }), ['narrowed closed']],
  ['open', object({}, { additionalProperties: false }), object({}), ['widened opened']],
  ['unevaluated closed', object({}), object({}, { unevaluatedProperties: false }), ['narrowed closed']],
  [
    'other members of another type',
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: number },
    ['narrowed type_changed *'],
  ],
  [
    'deep inside',
    object({ filter: object({ tags: { type: 'array', items: object({ name: text }) } }) }),
    object({ filter: object({ tags: { type: 'array', items: object({ name: number }) } }) }),
    ['narrowed type_changed filter.tags[].name'],
  ],
  ['an odd name', object({ 'a.b c': text }), object({ 'a.b c': number }), ['narrowed type_changed "a.b c"']],
  ['a name of Object’s', object({}), object({ constructor: text }), ['widened property_added constructor']],
  [
    'a place of a tuple',
    { prefixItems: [text, text] },
    { prefixItems: [text, number] },
    ['narrowed type_changed [1]'],
  ],
  ['a tuple in draft 7', { items: [text] }, { items: [number] }, ['narrowed type_changed [0]']],
  [
    'items after a tuple',
    { prefixItems: [text], items: text },
    { prefixItems: [text], items: false },
    ['narrowed type_changed []'],
  ],
  // References
  [
    'inlined for referred to',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: text } }),
    object({ a: text }),
    [],
  ],
  [
    'behind a reference',
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: object({ x: text }) } }),
    object({ a: { $ref: '#/$defs/a' } }, { $defs: { a: object({}) } }),
    ['narrowed property_removed a.x'],
  ],
  [
    'behind draft 7’s reference, escaped',
    object({ a: { $ref: '#/definitions/x~1y%20z' } }, { definitions: { 'x/y z': text } }),
    object({ a: { $ref: '#/definitions/x~1y%20z' } }, { definitions: { 'x/y z': number } }),
    ['narrowed type_changed a'],
  ],
  [
    'behind an anchor',
    { $ref: '#it', $defs: { any: { $anchor: 'it', type: 'string' } } },
    { $ref: '#it', $defs: { any: { $anchor: 'it', type: 'number' } } },
    ['narrowed type_changed'],
  ],
  [
    'in a schema that refers to itself',
    { $ref: '#/$defs/n', $defs: { n: object({ next: { $ref: '#/$defs/n' }, v: text }) } },
    { $ref: '#/$defs/n', $defs: { n: object({ next: { $ref: '#/$defs/n' }, v: number }) } },
    ['narrowed type_changed next.v', 'narrowed type_changed v'],
  ],
  [
    'that is a loop of references',
    { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    { $ref: '#' },
    [],
  ],
  ['elsewhere', { $ref: 'https://x.test/a' }, { $ref: 'https://x.test/b' }, ['narrowed rule_changed']],
  ['elsewhere, the same', { $ref: 'https://x.test/a' }, { $ref: 'https://x.test/a' }, []],
  // Combinations
  [
    'in a part of allOf',
    { allOf: [object({ a: text }), { required: ['a'] }] },
    object({ a: text, b: text }, { required: ['a'] }),
    ['widened property_added b'],
  ],
  ['one alternative more', { anyOf: [text] }, { anyOf: [text, number] }, ['widened alternative_added']],
  ['one alternative less', { anyOf: [text, number] }, { anyOf: [text] }, ['narrowed alternative_removed']],
  ['the order of alternatives', { oneOf: [text, number] }, { oneOf: [number, text] }, []],
  ['anyOf for a list of types', { type: ['string', 'null'] }, { anyOf: [text, { type: 'null' }] }, []],
  ['a list of types for anyOf', { anyOf: [text, { type: 'null' }] }, { type: ['null', 'string'] }, []],
  [
    'inside an alternative',
    { oneOf: [object({ kind: { const: 'a' }, x: text }), object({ kind: { const: 'b' } })] },
    { oneOf: [object({ kind: { const: 'a' } }), object({ kind: { const: 'b' } })] },
    ['narrowed property_removed x'],
  ],
  [
    'null beside it, by anyOf',
    object({ a: text }),
    object({ a: { anyOf: [text, { type: 'null' }] } }),
    ['widened alternative_added a'],
  ],
  // Rules whose effect is not worked out
  [
    'a condition',
    {},
    JSON.parse('{"if":{"type":"string"},"then":{"minLength":1}}'),
    ['narrowed rule_changed', 'narrowed rule_changed'],
  ],
  ['no condition any more', { not: { const: 1 } }, {}, ['widened rule_changed']],
  [
    'what a condition refers to',
    { not: { $ref: '#/$defs/a' }, $defs: { a: text } },
    { not: { $ref: '#/$defs/a' }, $defs: { a: number } },
    ['narrowed rule_changed'],
  ],
  ['another default', { default: 1 }, { default: 2 }, ['narrowed default_changed']],
  ['a default', {}, { default: 2 }, ['noted default_changed']],
  ['words', { description: 'a' }, { description: 'b' }, ['noted description_changed']],
  ['no words', object({ a: { ...text, title: 'A' } }), object({ a: text }), ['noted description_changed a']],
  ['rubbish', { type: 7, properties: [], required: 'x', enum: {} }, { type: null, allOf: 'x', items: 3 }, []],
  [
    'a schema for none',
    undefined,
    object({ a: text }),
    ['narrowed type_changed', 'widened property_added a'],
  ],
];

describe('how a schema changes', () => {
  test.each(TABLE)('%s', (_what, before, after, expected) => {
    expect(compared(before, after)).toEqual([...expected].sort());
  });
});

/** Schemas of all sorts, with references that lead anywhere, also in circles. */
const schemas = fc.letrec((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.boolean(),
    fc.constantFrom('#', '#/$defs/a', '#/$defs/b', '#/properties/x', '#/nowhere').map(($ref) => ({ $ref })),
    fc.record(
      {
        type: fc.constantFrom(
          'string',
          'integer',
          'number',
          'object',
          'array',
          'null',
          ['string', 'null'],
          3,
        ),
        enum: fc.array(fc.constantFrom(1, 'a', null, { a: 1 }), { maxLength: 3 }),
        minimum: fc.integer({ min: -3, max: 3 }),
        maxLength: fc.nat(3),
        pattern: fc.constantFrom('a', 'b'),
        default: fc.constantFrom(1, 2),
        description: fc.constantFrom('a', 'b'),
        required: fc.subarray(['x', 'y', 'z']),
        properties: fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), tie('schema'), { maxKeys: 3 }),
        additionalProperties: tie('schema'),
        items: fc.oneof(tie('schema'), fc.array(tie('schema'), { maxLength: 2 })),
        allOf: fc.array(tie('schema'), { maxLength: 2 }),
        anyOf: fc.array(tie('schema'), { maxLength: 3 }),
        oneOf: fc.array(tie('schema'), { maxLength: 3 }),
        not: tie('schema'),
        if: tie('schema'),
        $defs: fc.record({ a: tie('schema'), b: tie('schema') }, { requiredKeys: [] }),
        $ref: fc.constantFrom('#', '#/$defs/a', '#/$defs/b'),
      },
      { requiredKeys: [] },
    ),
  ),
})).schema;

describe('of any two schemas', () => {
  test('the comparison ends, and says something of each kind it knows', () => {
    fc.assert(
      fc.property(schemas, schemas, (before, after) => {
        for (const { effect, code, text: told } of compareSchemas(before, after)) {
          expect(['narrowed', 'widened', 'noted']).toContain(effect);
          expect(code).not.toBe('');
          expect(told).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });
  test('one and itself have no difference', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        expect(compareSchemas(schema, structuredClone(schema))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is out of all proportion', () => {
  const only = (before: unknown, after: unknown) => compared(before, after);
  test('in depth', () => {
    const nest = (levels: number, core: unknown): unknown => {
      let schema = core;
      for (let level = 0; level < levels; level += 1) schema = object({ a: schema });
      return schema;
    };
    expect(only(nest(20_000, text), nest(20_000, text))).toEqual([]);
    expect(only(nest(500, text), nest(500, number))).toMatchObject([expect.stringContaining('not_compared')]);
  });
  test('in breadth', () => {
    const wide = (schema: object) =>
      object(Object.fromEntries(Array.from({ length: 20_000 }, (_, place) => [`p${place}`, schema])));
    expect(only(wide(text), wide(number))).toEqual(['narrowed not_compared']);
  });
  test('in alternatives', () => {
    const many = (count: number, schema: object) => ({
      anyOf: Array.from({ length: count }, (_, place) => object({ k: { const: place }, a: schema })),
    });
    expect(only(many(200, text), many(200, text))).toEqual([]);
    expect(only(many(200, text), many(200, number))).toEqual(['narrowed not_compared']);
    const nested = { allOf: Array.from({ length: 10 }, () => many(20, text)) };
    expect(only(nested, { allOf: [...nested.allOf, text] })).toEqual(['narrowed not_compared']);
  });

  test('in pauses: none of it is done in one go', () => {
    const alternatives = (mark: string) => ({
      anyOf: Array.from({ length: 24 }, (_, place) =>
        object({ [`p${place}`]: { ...text, description: mark }, q: { enum: [mark] } }),
      ),
    });
    const wide = (schema: object) =>
      object(Object.fromEntries(Array.from({ length: 1_000 }, (_, place) => [`p${place}`, { ...schema }])));
    for (const [before, after] of [
      [alternatives('a'), alternatives('b')],
      [wide(text), wide(number)],
    ] as const) {
      const work = compareInSlices(before, after);
      let pauses = 0;
      while (!work.next().done) pauses += 1;
      expect(pauses).toBeGreaterThan(100);
    }
  });

  test('in references by anchor and in allOf', () => {
    const anchored = (mark: string) => ({
      properties: Object.fromEntries(
        Array.from({ length: 3_000 }, (_, place) => [`p${place}`, { $ref: '#a999', description: mark }]),
      ),
      $defs: Object.fromEntries(
        Array.from({ length: 1_000 }, (_, place) => [`d${place}`, { $anchor: `a${place}`, type: 'string' }]),
      ),
    });
    expect(only(anchored('a'), anchored('b'))).toEqual(['narrowed not_compared']);
    const multiples = (step: number) => ({
      allOf: Array.from({ length: 1_000 }, (_, place) => ({ multipleOf: place + step })),
    });
    expect(only(multiples(1), multiples(2))).toEqual(['narrowed limit_changed']);
  });
});
