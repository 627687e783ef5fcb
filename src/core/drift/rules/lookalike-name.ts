import type { Sliced } from '../../slices.ts';
import type { Finding } from './finding.ts';
import { showHidden } from './show-text.ts';

/** Letters of other scripts, and digits, that are taken for a Latin letter at a glance. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  // Cyrillic
  а: 'a',
  в: 'b',
  с: 'c',
  ԁ: 'd',
  е: 'e',
  ҽ: 'e',
  ԍ: 'g',
  һ: 'h',
  і: 'i',
  ј: 'j',
  к: 'k',
  ӏ: 'l',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  ѵ: 'v',
  ԝ: 'w',
  х: 'x',
  у: 'y',
  ғ: 'f',
  ь: 'b',
  // Greek
  α: 'a',
  β: 'b',
  ϲ: 'c',
  ε: 'e',
  η: 'n',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  γ: 'y',
  ω: 'w',
  μ: 'u',
  // Armenian, Cherokee in lower case, and others
  օ: 'o',
  ս: 'u',
  հ: 'h',
  ո: 'n',
  զ: 'q',
  ց: 'g',
  յ: 'j',
  ɡ: 'g',
  ɑ: 'a',
  ı: 'i',
  ꜱ: 's',
  ʀ: 'r',
  ᴏ: 'o',
  // Digits and strokes
  '0': 'o',
  '1': 'l',
  '|': 'l',
  '5': 's',
  $: 's',
  '@': 'a',
};

const PAIRS: readonly [RegExp, string][] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
];

/** What a name looks like: names of the same look have the same skeleton. */
export function skeletonOf(name: string): string {
  const plain = name.normalize('NFKD').replace(/[\p{M}\p{Cf}]/gu, '');
  // A capital I is a small l in most fonts; so it has to be looked at before the case is given up.
  let skeleton = '';
  for (const character of plain.replace(/I(?=[a-z0-9])|(?<=[a-z0-9])I/g, 'l').toLowerCase()) {
    skeleton += LOOKALIKES[character] ?? character;
  }
  for (const [pattern, letter] of PAIRS) skeleton = skeleton.replace(pattern, letter);
  return skeleton;
}

/** Shorter names have too many honest neighbours. */
const MIN_SLIP_LENGTH = 8;

const wordsOf = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[-_ ./:]+/g, '_');

/**
 * Whether `name` would be taken for `other`: letters of the same look, two neighbours swapped, or a letter
 * doubled. Another way to join the same words, an `s` at the end, another number or another word is honest.
 */
export function looksLike(name: string, other: string): boolean {
  if (name === other) return false;
  const [one, two] = [wordsOf(name), wordsOf(other)];
  if (one === two) return false;
  const [first, second] = [skeletonOf(name), skeletonOf(other)];
  if (first === second) return !differsInNumbersOnly(one, two);
  if (Math.min(one.length, two.length) < MIN_SLIP_LENGTH || /\d/.test(one + two)) return false;
  return isSwapped(one, two) || isDoubled(one, two) || isDoubled(two, one);
}

/** `v1` and `v0`, `page_1` and `page_l`: a number of its own is a number. */
function differsInNumbersOnly(one: string, two: string): boolean {
  const [first, second] = [one.split(/\d+/), two.split(/\d+/)];
  return first.length === second.length && first.join('#') === second.join('#');
}

/** `serach_files` and `search_files`. */
function isSwapped(one: string, two: string): boolean {
  if (one.length !== two.length) return false;
  let at = 0;
  while (at < one.length && one[at] === two[at]) at += 1;
  return (
    one[at] === two[at + 1] &&
    one[at + 1] === two[at] &&
    one[at] !== one[at + 1] &&
    one.slice(at + 2) === two.slice(at + 2)
  );
}

/** `seearch_files` and `search_files`: `long` has one letter twice that `short` has once. */
function isDoubled(long: string, short: string): boolean {
  if (long.length !== short.length + 1) return false;
  let at = 0;
  while (at < short.length && long[at] === short[at]) at += 1;
  if (long.slice(at + 1) !== short.slice(at)) return false;
  return /\p{L}/u.test(long[at] ?? '') && long[at] === long[at - 1];
}

/** A word that mixes Latin letters with Cyrillic or Greek ones: no language writes like that. */
function mixesScripts(name: string): boolean {
  return name
    .split(/[^\p{L}\p{M}]+/u)
    .some(
      (word) =>
        /\p{Script=Latin}/u.test(word) &&
        /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word) &&
        !/^[µμ]/.test(word),
    );
}

/** A tool, and the server that has it. */
export interface KnownName {
  name: string;
  serverId: string;
  serverName: string;
}

/** The tools of a tenant's servers by what they look like, so that a new name is compared with few of them. */
export interface NameIndex {
  taken: Map<string, KnownName[]>;
  bySkeleton: Map<string, KnownName[]>;
  /** By their letters: a slip swaps or doubles letters, and keeps which there are. */
  byLetters: Map<string, KnownName[]>;
}

export const emptyNameIndex = (): NameIndex => ({
  taken: new Map(),
  bySkeleton: new Map(),
  byLetters: new Map(),
});

/** Longer names are not told apart at a glance. */
const MAX_NAME_LENGTH = 200;

export function* addNames(index: NameIndex, known: readonly KnownName[]): Sliced<void> {
  let added = 0;
  for (const entry of known) {
    added += 1;
    if (added % 100 === 0) yield;
    if (entry.name.length > MAX_NAME_LENGTH) continue;
    push(index.taken, entry.name, entry);
    push(index.bySkeleton, skeletonOf(entry.name), entry);
    push(index.byLetters, lettersOf(entry.name), entry);
  }
}

/** So many new names of one listing are looked at; more are a catalogue, not an imitation. */
const MAX_NEW_NAMES = 2_000;

/**
 * lookalike_name: names that somebody would take for a tool of another server. The very same name is no
 * look-alike: two servers may both have a `search`, and clients tell them apart by the server.
 */
export function* findLookalikes(
  newNames: readonly string[],
  index: NameIndex,
  serverId: string,
): Sliced<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  const isOthers = (entry: KnownName): boolean => entry.serverId !== serverId;
  for (const [place, name] of newNames.slice(0, MAX_NEW_NAMES).entries()) {
    if (place % 100 === 0) yield;
    if (name.length > MAX_NAME_LENGTH) continue;
    if (mixesScripts(name)) {
      found.set(name, { text: `mixes letters of several scripts that look alike (${spell(name)})` });
      continue;
    }
    if (index.taken.get(name)?.some(isOthers)) continue;
    const candidates = [
      ...(index.bySkeleton.get(skeletonOf(name)) ?? []),
      ...(index.byLetters.get(lettersOf(name)) ?? []),
    ];
    const imitated = candidates.find((entry) => isOthers(entry) && looksLike(name, entry.name));
    if (imitated) {
      const text = `looks like ${imitated.name} of the server ${imitated.serverName} (${spell(name)})`;
      found.set(name, { text });
    }
  }
  return found;
}

const lettersOf = (name: string): string => [...new Set(wordsOf(name))].sort().join('');

/** Of one look a few are enough to find an imitation by. */
const MAX_OF_A_LOOK = 50;

function push(map: Map<string, KnownName[]>, key: string, entry: KnownName): void {
  const entries = map.get(key);
  if (!entries) map.set(key, [entry]);
  else if (entries.length < MAX_OF_A_LOOK) entries.push(entry);
}

/** A name with its letters that are not ASCII by their code: to the eye they are what they imitate. */
function spell(name: string): string {
  return showHidden(name).replace(
    /[^\x20-\x7e]/gu,
    (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
