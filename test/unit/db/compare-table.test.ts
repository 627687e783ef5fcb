import { describe, expect, it } from 'vitest';
import { judgeDifference } from '../../../src/db/adoption/judge-difference.ts';
import { compareTable } from '../../../src/db/catalogue/compare-table.ts';
import type { TableFacts } from '../../../src/db/catalogue/facts.ts';
import { plainDefault } from '../../../src/db/catalogue/read-tables.ts';

const table = (changes: Partial<TableFacts> = {}): TableFacts => ({
  schema: 'public',
  name: 'thing',
  columns: [
    { name: 'id', type: 'text', nullable: false, default: null },
    { name: 'size', type: 'numeric(5,2)', nullable: true, default: '100.00' },
    { name: 'tags', type: 'json', nullable: true, default: '[]' },
  ],
  primaryKey: ['id'],
  uniques: [['size', 'tags']],
  indexes: [{ name: 'thing_size_idx', columns: ['size'] }],
  foreignKeys: [{ columns: ['id'], table: 'other', foreignColumns: ['id'], onDelete: 'cascade' }],
  ...changes,
});

describe('compareTable', () => {
  it('finds nothing where names of constraints, their order or the spelling of a default differ', () => {
    const actual = table({
      columns: table().columns.map((column) =>
        column.name === 'size' ? { ...column, default: '100' } : column,
      ),
      uniques: [['tags', 'size']],
      indexes: [{ name: 'another_name', columns: ['size'] }],
    });
    expect(compareTable(table(), actual)).toEqual([]);
  });

  it('names a table that is not there, and nothing of what it would hold', () => {
    expect(compareTable(table(), undefined)).toEqual([{ kind: 'missing table' }]);
  });

  it('names every other difference', () => {
    const actual = table({
      columns: [
        { name: 'id', type: 'uuid', nullable: false, default: null },
        { name: 'size', type: 'numeric(5,2)', nullable: false, default: null },
        { name: 'mood', type: 'text', nullable: true, default: null },
      ],
      primaryKey: [],
      uniques: [],
      indexes: [
        { name: 'thing_size_idx', columns: ['mood'] },
        { name: 'thing_mood_idx', columns: ['mood', 'id'] },
      ],
      foreignKeys: [{ columns: ['id'], table: 'other', foreignColumns: ['id'], onDelete: 'no action' }],
    });
    expect(compareTable(table(), actual).map(({ kind }) => kind)).toEqual([
      'type',
      'nullability',
      'default',
      'missing column',
      'extra column',
      'missing primary key',
      'missing unique',
      'on delete',
      'other index',
      'extra index',
    ]);
  });
});

describe('plainDefault', () => {
  it.each([
    [null, null],
    ["'user'::text", 'user'],
    ["'{}'::json", '{}'],
    ["'it''s'::character varying", "it's"],
    ['100.00', '100.00'],
    ["'-1'::integer", '-1'],
    ['(5)::numeric', '5'],
    ['gen_random_uuid()', 'gen_random_uuid()'],
    ["nextval('thing_id_seq'::regclass)", "nextval('thing_id_seq'::regclass)"],
  ])('%s is %s', (expression, plain) => {
    expect(plainDefault(expression)).toBe(plain);
  });
});

describe('judgeDifference', () => {
  const extra = (nullable: boolean, value: string | null) =>
    ({ kind: 'extra column', column: { name: 'x', type: 'text', nullable, default: value } }) as const;

  it.each([
    ['mcp_tool', { kind: 'missing column', column: 'name' } as const, 'blocking'],
    ['tenant', { kind: 'missing column', column: 'name' } as const, 'difference'],
    ['tenant', { kind: 'missing table' } as const, 'difference'],
    ['mcp_server', { kind: 'type', column: 'id', expected: 'text', actual: 'uuid' } as const, 'blocking'],
    [
      'mcp_server',
      { kind: 'type', column: 'id', expected: 'text', actual: 'character varying(36)' } as const,
      'difference',
    ],
    [
      'verification',
      { kind: 'type', column: 'attempts', expected: 'integer', actual: 'text' } as const,
      'known',
    ],
    [
      'verification',
      { kind: 'type', column: 'value', expected: 'text', actual: 'bytea' } as const,
      'difference',
    ],
    ['system_event', extra(false, null), 'blocking'],
    ['system_event', extra(false, 'now()'), 'extra'],
    ['system_event', extra(true, null), 'extra'],
  ])('%s, %o: %s', (name, difference, severity) => {
    expect(judgeDifference(name, difference).severity).toBe(severity);
  });
});
