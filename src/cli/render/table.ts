import { escapeText } from './escape.ts';
import type { Style } from './style.ts';
import { cutText, padText, textWidth } from './text-width.ts';

export interface Column<Row> {
  title: string;
  value(row: Row): string;
  align?: 'left' | 'right';
  /** May be cut where the line is too long; the widest of these is cut first. */
  flexible?: boolean;
  /** Colours the finished cell. */
  paint?(cell: string, row: Row): string;
}

const GAP = '  ';
const NARROWEST = 6;

/** Takes columns from the widest flexible ones until the line fits, or none can give any more. */
function fitWidths<Row>(columns: readonly Column<Row>[], widths: number[], available: number): number[] {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, width) => sum + width, GAP.length * (fitted.length - 1));
  while (total() > available) {
    let widest = -1;
    columns.forEach(({ flexible, title }, index) => {
      const width = fitted[index] ?? 0;
      if (flexible && width > Math.max(NARROWEST, textWidth(title)) && width > (fitted[widest] ?? 0))
        widest = index;
    });
    if (widest === -1) break;
    fitted[widest] = (fitted[widest] ?? 0) - 1;
  }
  return fitted;
}

/** A plain, aligned table; what others wrote is made harmless. Ends with a line break. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => escapeText(value(row))));
  const widths = columns.map(({ title }, index) =>
    cells.reduce((width, line) => Math.max(width, textWidth(line[index] ?? '')), textWidth(title)),
  );
  const fitted = fitWidths(columns, widths, style.columns);
  const renderCell = (text: string, index: number) => {
    const isLast = index === columns.length - 1;
    const width = fitted[index] ?? 0;
    const cut = cutText(text, width);
    return isLast && columns[index]?.align !== 'right' ? cut : padText(cut, width, columns[index]?.align);
  };
  const head = columns.map(({ title }, index) => renderCell(title, index)).join(GAP);
  const body = rows.map((row, line) =>
    columns
      .map(({ paint }, index) => {
        const cell = renderCell(cells[line]?.[index] ?? '', index);
        return paint ? paint(cell, row) : cell;
      })
      .join(GAP)
      .trimEnd(),
  );
  return [style.bold(head.trimEnd()), ...body].map((line) => `${line}\n`).join('');
}
