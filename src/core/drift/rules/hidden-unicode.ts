import type { Finding } from './finding.ts';
import { excerpt } from './show-text.ts';

const RTL =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
/** Scripts whose letters are joined or kept apart by zero-width characters. */
const JOINING =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Scripts without spaces between words, where a zero-width space marks where a line may break. */
const SPACELESS =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}]/u;

/** Anything that this rule may object to; most texts have none and are done with at once. */
const CANDIDATE = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Variation_Selector}\u3164\u115f\u1160\uffa0]/gu;

/** A flag of a part of a country: a black flag, its code in tag characters, and their end. */
const FLAG = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}/gu;

const MAX_LENGTH = 50_000;
/** A text with more of them than this is not looked at to its end: it has been found by then, or is a font test. */
const MAX_CANDIDATES = 2_000;

/** hidden_unicode: characters that people do not see and models read, where no script has use for them. */
export function findHidden(text: string): Finding | null {
  const looked = text.slice(0, MAX_LENGTH);
  if (looked.search(CANDIDATE) === -1) return null;
  const plain = looked.replace(FLAG, '\u{1f3f4}');
  const isRtl = RTL.test(plain);
  let seen = 0;
  for (const match of plain.matchAll(CANDIDATE)) {
    seen += 1;
    if (seen > MAX_CANDIDATES) return null;
    const what = judge(plain, match.index, match[0], isRtl);
    if (what !== null) return { text: `holds ${what}: “${excerpt(plain, match.index, match[0].length)}”` };
  }
  return null;
}

/** What the character at that place of a text, right-to-left in part or not at all, is doing there; null when it has a use. */
function judge(text: string, at: number, character: string, isRtl: boolean): string | null {
  const code = character.codePointAt(0) ?? 0;
  const before = lastCharacter(text, at);
  const after = firstCharacter(text, at + character.length);
  if (code === 0x202d || code === 0x202e) return 'a character that overrides the direction of text';
  if ((code >= 0x202a && code <= 0x202c) || (code >= 0x2066 && code <= 0x2069)) {
    return isRtl ? null : 'a character that turns the direction of text';
  }
  // Marks beside right-to-left text do what they are for.
  if (code === 0x200e || code === 0x200f || code === 0x061c) {
    return isRtl ? null : 'a mark of direction in a text of one direction';
  }
  if (code === 0x200b) return SPACELESS.test(before + after) ? null : 'a zero-width space';
  if (code === 0x200c) return JOINING.test(before) || RTL.test(after) ? null : 'a zero-width non-joiner';
  if (code === 0x200d) {
    const joinsPictures = (PICTURE.test(before) || before === '\ufe0f') && PICTURE.test(after);
    return joinsPictures || JOINING.test(before) || JOINING.test(after) ? null : 'a zero-width joiner';
  }
  if (code === 0xfeff) return at === 0 ? null : 'a byte order mark inside the text';
  if (code >= 0xe0000 && code <= 0xe007f) return `tag characters${hiddenText(text.slice(at))}`;
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) {
    return judgeSelector(code, before);
  }
  if (code === 0x3164 || code === 0x115f || code === 0x1160 || code === 0xffa0) {
    return /\p{Script=Hangul}/u.test(before + after) ? null : 'an invisible Hangul filler';
  }
  if (code === 0x180e) return /\p{Script=Mongolian}/u.test(before) ? null : 'a Mongolian vowel separator';
  if (code >= 0x2060 && code <= 0x206f) return 'an invisible format character';
  if (code >= 0xfff9 && code <= 0xfffb) return 'an annotation mark';
  if (code === 0x1b) return 'a terminal escape sequence';
  // What is left of the format characters belongs to a script, or only hyphenates.
  return /\p{Cc}/u.test(character) ? 'a control character' : null;
}

const isSelector = (character: string): boolean => /\p{Variation_Selector}/u.test(character);

/** One selector after a character that has variants is a variant; several, or one after a letter, carry data. */
function judgeSelector(code: number, before: string): string | null {
  if (before === '' || isSelector(before)) return 'variation selectors in a row, which can carry hidden data';
  if (code === 0xfe0e || code === 0xfe0f) {
    return /[\p{Emoji}\p{Extended_Pictographic}\p{So}\p{Sm}\p{Po}\p{Pd}©®]/u.test(before)
      ? null
      : 'a variation selector after a character that has no variants';
  }
  return /[\p{Script=Han}\p{Script=Mongolian}\p{Script=Myanmar}\p{Script=Phags_Pa}\p{Sm}\p{P}0]/u.test(before)
    ? null
    : 'a variation selector after a character that has no variants';
}

/** Tag characters are ASCII moved out of sight: what they say is shown. */
function hiddenText(text: string): string {
  let hidden = '';
  for (const character of text.slice(0, 400)) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0xe0000 || code > 0xe007f) break;
    if (code >= 0xe0020 && code < 0xe007f) hidden += String.fromCharCode(code - 0xe0000);
  }
  return hidden === '' ? '' : ` that spell “${hidden.slice(0, 100)}”`;
}

function lastCharacter(text: string, at: number): string {
  const low = text.charCodeAt(at - 1);
  if (Number.isNaN(low)) return '';
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(Math.max(0, at - 2), at) : text.charAt(at - 1);
}

function firstCharacter(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}
