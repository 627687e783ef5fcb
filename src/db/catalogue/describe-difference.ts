import type { Difference } from './compare-table.ts';

const list = (columns: string[]): string => `(${columns.join(', ')})`;
const said = (value: string | null): string => (value === null ? 'no default' : `default ${value}`);

/** A difference in words, without its table. */
export function describeDifference(difference: Difference): string {
  switch (difference.kind) {
    case 'missing table':
      return 'the table is missing';
    case 'missing column':
      return `column ${difference.column} is missing`;
    case 'type':
      return `column ${difference.column} is ${difference.actual}, the contract says ${difference.expected}`;
    case 'nullability':
      return `column ${difference.column} is ${difference.expected === 'null' ? 'not null' : 'nullable'}, the contract says ${difference.expected === 'null' ? 'nullable' : 'not null'}`;
    case 'default':
      return `column ${difference.column} has ${said(difference.actual)}, the contract says ${said(difference.expected)}`;
    case 'missing primary key':
      return `there is no primary key on ${list(difference.columns)}`;
    case 'missing unique':
      return `nothing keeps ${list(difference.columns)} unique`;
    case 'missing index':
      return `index ${difference.name} on ${list(difference.columns)} is missing`;
    case 'other index':
      return `index ${difference.name} is on ${list(difference.actual)}, the contract says ${list(difference.columns)}`;
    case 'missing foreign key':
      return `the foreign key ${list(difference.key.columns)} to ${difference.key.table} is missing`;
    case 'on delete':
      return `the foreign key ${list(difference.key.columns)} to ${difference.key.table} is on delete ${difference.actual}, the contract says ${difference.key.onDelete}`;
    case 'extra column':
      return `column ${difference.column.name} (${difference.column.type}) is not in the contract: left alone`;
    case 'extra index':
      return `index ${difference.name} is not in the contract: left alone`;
  }
}
