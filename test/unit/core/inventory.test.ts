import { describe, expect, test } from 'vitest';
import { cleanJson, hashInventory, resourceRows, toolRows } from '../../../src/core/inventory.ts';
import type { Inventory } from '../../../src/core/outcome.ts';
import { EMPTY_INVENTORY } from '../../support/outcomes.ts';

const withTools = (...tools: Inventory['tools']): Inventory => ({ ...EMPTY_INVENTORY, tools });

describe('the hash of an inventory', () => {
  test('does not see the order of the listing', () => {
    const [one, two] = [{ name: 'one' }, { name: 'two' }];
    expect(hashInventory(withTools(one, two))).toBe(hashInventory(withTools(two, one)));
  });
  test('sees every difference, also in keys that no client knows, and between kinds', () => {
    const hashes = [
      EMPTY_INVENTORY,
      withTools({ name: 'one' }),
      withTools({ name: 'one', description: '' }),
      withTools({ name: 'one', 'x-vendor': 1 }),
      withTools({ name: 'one' }, { name: 'one' }),
      { ...EMPTY_INVENTORY, prompts: [{ name: 'one' }] },
    ].map(hashInventory);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashes[0]).toMatch(/^v1:[0-9a-f]{64}$/);
  });
});

describe('rows', () => {
  test('keep one of a duplicate, and none without a key', () => {
    const rows = toolRows(
      withTools({ name: 'a', description: 'first' }, { name: 'a', description: 'second' }, { name: 7 }, {}),
    );
    expect(rows).toEqual([{ name: 'a', description: 'second', input_schema: null }]);
  });
  test('a template that has a resource’s address does not take its place', () => {
    const inventory = {
      ...EMPTY_INVENTORY,
      resources: [{ uri: 'x' }],
      resourceTemplates: [{ uriTemplate: 'x' }],
    };
    expect(resourceRows(inventory)).toMatchObject([{ uri: 'x', annotations: null }]);
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
