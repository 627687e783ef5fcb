import { styleText } from 'node:util';
import type { Grade } from '../../core/drift/change.ts';
import type { Verdict } from '../../core/reasons.ts';
import type { CliIo, Output } from '../cli-io.ts';

type Format = Parameters<typeof styleText>[0];

export interface Style {
  verdict(verdict: Verdict, text?: string): string;
  grade(grade: Grade, text: string): string;
  bold(text: string): string;
  faint(text: string): string;
  /** The columns that a line may take; Infinity where there is no terminal. */
  columns: number;
}

const VERDICT_FORMATS: Readonly<Record<Verdict, Format>> = {
  up: 'green',
  degraded: 'yellow',
  down: 'red',
  unauthenticated: 'magenta',
  waking: 'cyan',
  unknown: 'gray',
  maintenance: 'blue',
};

const GRADE_FORMATS: Readonly<Record<Grade, Format>> = {
  breaking: 'red',
  suspicious: 'magenta',
  additive: 'green',
  cosmetic: 'gray',
};

/** Colours only on a terminal, and not where NO_COLOR is set. */
export function createStyle(output: Output, environment: CliIo['environment']): Style {
  const isTerminal = output.isTTY === true;
  const colored = isTerminal && !environment.NO_COLOR && environment.TERM !== 'dumb';
  // Newer Nodes would look at this process's own output instead of the one that is written to.
  const paint = (format: Format, text: string) =>
    colored ? styleText(format, text, { validateStream: false }) : text;
  return {
    verdict: (verdict, text = verdict) => paint(VERDICT_FORMATS[verdict], text),
    grade: (grade, text) => paint(GRADE_FORMATS[grade], text),
    bold: (text) => paint('bold', text),
    faint: (text) => paint('gray', text),
    columns: isTerminal ? Math.max(40, output.columns || 80) : Number.POSITIVE_INFINITY,
  };
}
