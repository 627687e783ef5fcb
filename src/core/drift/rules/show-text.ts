/** Characters that nobody would see, or that would turn what is seen: shown by their code. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\u3164\u115f\u1160\uffa0]/gu;

/** A text of others in a form that shows all that is in it: hidden characters as `\u{200b}`. */
export function showHidden(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** An excerpt around a place, in one line. */
export function excerpt(text: string, at: number, length: number): string {
  const from = Math.max(0, at - 20);
  const until = Math.min(text.length, at + Math.min(length, 120) + 20);
  const cut = showHidden(text.slice(from, until).replace(/\s+/g, ' ').toWellFormed());
  return `${from > 0 ? '…' : ''}${cut}${until < text.length ? '…' : ''}`;
}
