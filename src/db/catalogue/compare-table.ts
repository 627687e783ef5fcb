import type { ColumnFacts, ForeignKeyFacts, TableFacts } from './facts.ts';

/** One way in which a table is not what our schema says. */
export type Difference =
  | { kind: 'missing table' }
  | { kind: 'missing column'; column: string }
  | { kind: 'type'; column: string; expected: string; actual: string }
  | { kind: 'nullability'; column: string; expected: 'null' | 'not null' }
  | { kind: 'default'; column: string; expected: string | null; actual: string | null }
  | { kind: 'missing primary key'; columns: string[] }
  | { kind: 'missing unique'; columns: string[] }
  | { kind: 'missing index'; name: string; columns: string[] }
  | { kind: 'other index'; name: string; columns: string[]; actual: string[] }
  | { kind: 'missing foreign key'; key: ForeignKeyFacts }
  | { kind: 'on delete'; key: ForeignKeyFacts; actual: string }
  | { kind: 'extra column'; column: ColumnFacts }
  | { kind: 'extra index'; name: string };

const same = (a: string[], b: string[]): boolean =>
  a.length === b.length && a.every((value, place) => value === b[place]);
const sameSet = (a: string[], b: string[]): boolean => same([...a].sort(), [...b].sort());

/** `100.00` and `100` are one number, `{"a": 1}` and `{"a":1}` one object. */
function sameDefault(a: string | null, b: string | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  if (a.trim() !== '' && b.trim() !== '' && Number(a) === Number(b)) return true;
  const compact = (text: string) => text.replace(/\s+/g, '').toLowerCase();
  return compact(a) === compact(b);
}

function* compareColumns(expected: TableFacts, actual: TableFacts): Generator<Difference> {
  for (const wanted of expected.columns) {
    const found = actual.columns.find(({ name }) => name === wanted.name);
    const column = wanted.name;
    if (!found) {
      yield { kind: 'missing column', column };
      continue;
    }
    if (found.type !== wanted.type) yield { kind: 'type', column, expected: wanted.type, actual: found.type };
    if (found.nullable !== wanted.nullable)
      yield { kind: 'nullability', column, expected: wanted.nullable ? 'null' : 'not null' };
    if (!sameDefault(wanted.default, found.default))
      yield { kind: 'default', column, expected: wanted.default, actual: found.default };
  }
  for (const column of actual.columns) {
    if (!expected.columns.some(({ name }) => name === column.name)) yield { kind: 'extra column', column };
  }
}

function* compareKeys(expected: TableFacts, actual: TableFacts): Generator<Difference> {
  if (!same(expected.primaryKey, actual.primaryKey))
    yield { kind: 'missing primary key', columns: expected.primaryKey };
  for (const columns of expected.uniques) {
    const kept = [...actual.uniques, actual.primaryKey].some((found) => sameSet(found, columns));
    if (!kept) yield { kind: 'missing unique', columns };
  }
  for (const key of expected.foreignKeys) {
    const found = actual.foreignKeys.find(
      (candidate) => same(candidate.columns, key.columns) && candidate.table === key.table,
    );
    if (!found) yield { kind: 'missing foreign key', key };
    else if (found.onDelete !== key.onDelete) yield { kind: 'on delete', key, actual: found.onDelete };
  }
}

function* compareIndexes(expected: TableFacts, actual: TableFacts): Generator<Difference> {
  for (const { name, columns } of expected.indexes) {
    const named = actual.indexes.find((index) => index.name === name);
    if (named && !same(named.columns, columns))
      yield { kind: 'other index', name, columns, actual: named.columns };
    if (!named && !actual.indexes.some((index) => same(index.columns, columns)))
      yield { kind: 'missing index', name, columns };
  }
  for (const { name, columns } of actual.indexes) {
    const ours =
      expected.indexes.some((index) => index.name === name || same(index.columns, columns)) ||
      expected.uniques.some((unique) => sameSet(unique, columns));
    if (!ours) yield { kind: 'extra index', name };
  }
}

/** Everything in which the table differs from what is expected; names of constraints do not matter. */
export function compareTable(expected: TableFacts, actual: TableFacts | undefined): Difference[] {
  if (!actual) return [{ kind: 'missing table' }];
  return [
    ...compareColumns(expected, actual),
    ...compareKeys(expected, actual),
    ...compareIndexes(expected, actual),
  ];
}
