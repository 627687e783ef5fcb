import { expect, test } from 'vitest';
import { formatAge, formatMs } from '../../../src/cli/render/format-values.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { type Column, renderTable } from '../../../src/cli/render/table.ts';
import { cutText, padText, textWidth } from '../../../src/cli/render/text-width.ts';

const plain = (columns?: number) => ({
  ...createStyle({ write: () => undefined }, {}),
  columns: columns ?? Number.POSITIVE_INFINITY,
});
const columns: Column<{ name: string; n: number; text: string }>[] = [
  { title: 'NAME', value: ({ name }) => name, flexible: true },
  { title: 'N', value: ({ n }) => String(n), align: 'right' },
  { title: 'TEXT', value: ({ text }) => text, flexible: true },
];
const row = (name: string, n: number, text: string) => ({ name, n, text });

test('columns are aligned, also with wide and combining characters', () => {
  expect(
    renderTable(columns, [row('日本', 1, 'x'), row('e\u0301🎉', 100, ''), row('plain', 20, 'y')], plain()),
  ).toBe(`NAME     N  TEXT\n日本     1  x\ne\u0301🎉    100\nplain   20  y\n`);
});

test('the widest columns are cut to the terminal', () => {
  const table = renderTable(columns, [row('a'.repeat(50), 7, 'b'.repeat(30))], plain(40));
  const lines = table.trimEnd().split('\n');
  expect(lines.map(textWidth)).toEqual([expect.any(Number), 40]);
  expect(lines[1]).toBe(`${'a'.repeat(16)}…  7  ${'b'.repeat(17)}…`);
});

test('a line break or an escape in a cell stays in its cell', () => {
  expect(renderTable(columns, [row('a\nb', 1, '\u001b[31m\ttab')], plain()).split('\n')[1]).toBe(
    'a\\nb  1  \\u001b[31m\\ttab',
  );
});

test('text is cut between characters', () => {
  expect(cutText('👨‍👩‍👧👨‍👩‍👧', 3)).toBe('👨‍👩‍👧…');
  expect(cutText('abc', 3)).toBe('abc');
  expect(padText('日', 4)).toBe('日  ');
});

test.each([
  [0.4231, '0.42 ms'],
  [12.34, '12.3 ms'],
  [845.4, '845 ms'],
  [2512, '2.5 s'],
])('%d ms is %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  [null, 'never'],
  ['2026-01-01T00:00:00Z', '0 s ago'],
  ['2025-12-31T23:50:00Z', '10 min ago'],
  ['2025-12-31T12:00:00Z', '12 h ago'],
  ['2025-12-01T00:00:00Z', '31 d ago'],
])('%s is %s', (iso, text) => {
  expect(formatAge(iso, Date.parse('2026-01-01T00:00:00Z'))).toBe(text);
});
