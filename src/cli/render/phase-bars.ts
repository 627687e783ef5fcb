import { PHASES, type Phase, type PhaseTimes } from '../../core/outcome.ts';
import { formatMs } from './format-values.ts';
import type { Style } from './style.ts';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LABELS: Partial<Record<Phase, string>> = { firstByte: 'first byte' };

function renderBar(share: number, columns: number): string {
  const eighths = Math.max(1, Math.round(share * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** One bar for each phase that was reached, to one scale, and the total below. */
export function renderPhaseBars(phases: PhaseTimes, totalMs: number, style: Style): string {
  const rows = PHASES.flatMap((phase) => {
    const ms = phases[phase];
    return ms === undefined ? [] : [{ label: LABELS[phase] ?? phase, ms }];
  });
  const longest = Math.max(...rows.map(({ ms }) => ms), Number.MIN_VALUE);
  const columns = Math.min(40, style.columns - 28);
  const lines = rows.map(
    ({ label, ms }) =>
      `  ${label.padEnd(10)} ${formatMs(ms).padStart(9)}  ${renderBar(ms / longest, columns)}`,
  );
  return [...lines, `  ${'total'.padEnd(10)} ${formatMs(totalMs).padStart(9)}`]
    .map((line) => `${line}\n`)
    .join('');
}
