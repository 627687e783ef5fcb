import { describe, expect, test } from 'vitest';
import { cleanJson, inventoryRows } from '../../../src/core/inventory.ts';
import type { Inventory } from '../../../src/core/outcome.ts';
import { runAtOnce } from '../../../src/core/slices.ts';
import { EMPTY_INVENTORY } from '../../support/outcomes.ts';

const withTools = (...tools: Inventory['tools']): Inventory => ({ ...EMPTY_INVENTORY, tools });
const rowsOf = (inventory: Inventory, tooLarge: Inventory['tools'] = []) =>
  runAtOnce(inventoryRows(inventory, new Set(tooLarge)));
const parsed = (chunks: string[]) => chunks.flatMap((chunk) => JSON.parse(chunk));

describe('rows', () => {
  test('keep one of a duplicate, and none without a key', () => {
    const { tools } = rowsOf(
      withTools({ name: 'a', description: 'first' }, { name: 'a', description: 'second' }, { name: 7 }, {}),
    );
    expect(parsed(tools.chunks)).toEqual([{ name: 'a', description: 'second', input_schema: null }]);
    expect(tools.keys).toBe('["a"]');
  });
  test('a template that has a resource’s address does not take its place', () => {
    const { resources } = rowsOf({
      ...EMPTY_INVENTORY,
      resources: [{ uri: 'x' }],
      resourceTemplates: [{ uriTemplate: 'x' }, { uriTemplate: 'y' }],
    });
    expect(parsed(resources.chunks)).toMatchObject([
      { uri: 'x', annotations: null },
      { uri: 'y', annotations: { custom: { template: true } } },
    ]);
  });
  test('have no schema of a definition that is too large', () => {
    const large = { name: 'large', inputSchema: { type: 'object' } };
    expect(parsed(rowsOf(withTools(large), [large]).tools.chunks)).toMatchObject([{ input_schema: null }]);
  });
  test('come in texts of some megabytes, none of them lost', () => {
    const tools = Array.from({ length: 6_000 }, (_, place) => ({
      name: `tool ${place}`,
      description: 'x'.repeat(500),
    }));
    const { chunks, keys } = rowsOf(withTools(...tools)).tools;
    expect(chunks).toHaveLength(2);
    expect(parsed(chunks)).toHaveLength(6_000);
    expect(JSON.parse(keys ?? '')).toHaveLength(6_000);
  });
});

test('cleanJson drops NUL and lone surrogates, in keys too, and what is nested beyond reason', () => {
  expect(cleanJson({ 'a\u0000': ['b\u0000', '\udc00', 1, null, true] })).toEqual({
    a: ['b', '\ufffd', 1, null, true],
  });
  let deep: unknown = 1;
  for (let level = 0; level < 50_000; level += 1) deep = [deep];
  expect(JSON.stringify(cleanJson(deep))).toHaveLength(204);
});
