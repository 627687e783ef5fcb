import type { Output } from '../cli-io.ts';
import { cutText } from './text-width.ts';

const BAR = 24;

/** One line that changes on a terminal; elsewhere a line for each thing that is new. */
export interface Progress {
  show(text: string, progress?: { done: number; total: number }): void;
  /** Leaves the line empty, so that other output can follow. */
  clear(): void;
}

function renderBar({ done, total }: { done: number; total: number }): string {
  const filled = total === 0 ? BAR : Math.round((done / total) * BAR);
  return ` ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${done}/${total}`;
}

function createTerminalProgress(output: Output): Progress {
  let shown = false;
  return {
    show(text, progress) {
      shown = true;
      const line = text + (progress ? renderBar(progress) : ' …');
      output.write(`\r\u001b[2K${cutText(line, (output.columns ?? 80) - 1)}`);
    },
    clear() {
      if (shown) output.write('\r\u001b[2K');
      shown = false;
    },
  };
}

function createPlainProgress(output: Output): Progress {
  let last = '';
  let lastQuarter = -1;
  return {
    show(text, progress) {
      // A log wants to know that it goes on, not every step of it.
      const quarter = progress ? Math.floor((progress.done / Math.max(1, progress.total)) * 4) : -1;
      if (text === last && quarter === lastQuarter) return;
      last = text;
      lastQuarter = quarter;
      output.write(`${text}${progress ? ` ${progress.done}/${progress.total}` : ' …'}\n`);
    },
    clear: () => undefined,
  };
}

/** Shows how far something is, on the given output. */
export function createProgress(output: Output): Progress {
  return output.isTTY === true ? createTerminalProgress(output) : createPlainProgress(output);
}
