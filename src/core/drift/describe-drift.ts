import { type Change, GRADES, type Grade, worstFirst } from './change.ts';
import { showHidden } from './rules/show-text.ts';
import { TOKEN_ESTIMATE } from './tokens.ts';
import { describeUsage, type Usage } from './usage.ts';

const MAX_SENTENCE_LENGTH = 500;

/** A change as a sentence: "search lost parameter `limit`; 4,120 calls in the last 7 days used this tool". */
export function describeChange(change: Change, usage: Usage): string {
  const { key, text, kind, grade } = change;
  const subject = key.length > 120 ? `${key.slice(0, 119)}…` : key;
  const sentence = showHidden(`${subject}${text.startsWith(':') ? '' : ' '}${text}`).toWellFormed();
  const cut =
    sentence.length > MAX_SENTENCE_LENGTH ? `${sentence.slice(0, MAX_SENTENCE_LENGTH - 1)}…` : sentence;
  const matters = kind === 'tools' && grade !== 'cosmetic' && change.code !== 'added';
  return matters ? cut + describeUsage(key, usage) : cut;
}

/** "2 breaking, 1 cosmetic change". */
export function describeCounts(counts: Readonly<Record<Grade, number>>): string {
  const named = GRADES.filter((grade) => counts[grade] > 0).map((grade) => `${counts[grade]} ${grade}`);
  const total = GRADES.reduce((sum, grade) => sum + counts[grade], 0);
  return `${named.join(', ') || 'no'} change${total === 1 ? '' : 's'}`;
}

const grouped = new Intl.NumberFormat('en-US');

/** What the listing costs to read now, and how that changed; always named an estimate. */
export function describeTokens(tokens: number, previous: number | null): string {
  const now = `about ${grouped.format(tokens)} tokens`;
  const estimate = `(${TOKEN_ESTIMATE})`;
  if (previous === null) return `the listing is ${now} ${estimate}`;
  const difference = tokens - previous;
  if (difference === 0) return `the listing stays at ${now} ${estimate}`;
  const grew = difference > 0 ? 'grew' : 'shrank';
  return `the listing ${grew} by ${grouped.format(Math.abs(difference))} to ${now} ${estimate}`;
}

/** So many sentences make a description; who wants all asks for the timeline. */
const MAX_SENTENCES = 10;

export function describeChanges(changes: readonly Change[], usage: Usage): string {
  const shown = worstFirst(changes).slice(0, MAX_SENTENCES);
  const lines = shown.map((change) => `${describeChange(change, usage)}.`);
  const more = changes.length - shown.length;
  if (more > 0) lines.push(`And ${more} more.`);
  return lines.join('\n');
}
