const LONGEST = 128;
const ADDRESS = /[a-z][a-z0-9+.-]{0,30}:\/\/(?:[^\s/?#]*@)?([^\s/?#]*)\S*/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** True of nearly every name: for a large fleet this is what makes an update cheap. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('://');
}

/** What others wrote, fit for a label: no control characters, none that turn the direction of text, no URL (its host stays), 128 characters. */
export function toLabelValue(text: string): string {
  const clean = isPlain(text) ? text : text.replace(CONTROLS, '').replace(ADDRESS, '$1');
  // By code points, so that no character is cut in two.
  return clean.length > LONGEST ? [...clean].slice(0, LONGEST).join('') : clean;
}
