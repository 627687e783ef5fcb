/** What steers a terminal, turns the direction of a line, or is not seen at all; line breaks are kept. */
const STEERING = /(?:(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029\u200b-\u200f\u2060-\u2064\ufeff])+/gu;

/** A text that others chose, for messages to people: well formed, and nothing in it but what is seen. */
export const plainText = (text: string): string => text.replace(STEERING, ' ').toWellFormed();
