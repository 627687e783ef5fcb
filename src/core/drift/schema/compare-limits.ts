import type { Conjunction } from './conjunction.ts';
import { boundOf, countOf, textsOf } from './facets.ts';
import type { SchemaChange } from './schema-change.ts';

interface CountLimit {
  keyword: string;
  type: string;
  strictest: 'highest' | 'lowest';
  what: string;
}

const COUNTS: readonly CountLimit[] = [
  { keyword: 'minLength', type: 'string', strictest: 'highest', what: 'characters at least' },
  { keyword: 'maxLength', type: 'string', strictest: 'lowest', what: 'characters at most' },
  { keyword: 'minItems', type: 'array', strictest: 'highest', what: 'items at least' },
  { keyword: 'maxItems', type: 'array', strictest: 'lowest', what: 'items at most' },
  { keyword: 'minProperties', type: 'object', strictest: 'highest', what: 'members at least' },
  { keyword: 'maxProperties', type: 'object', strictest: 'lowest', what: 'members at most' },
];

/** The limits of numbers, lengths and texts, for the types that both schemas take. */
export function compareLimits(
  before: Conjunction,
  after: Conjunction,
  types: ReadonlySet<string>,
): SchemaChange[] {
  const changes: SchemaChange[] = [];
  const add = (effect: 'narrowed' | 'widened', code: SchemaChange['code'], text: string): void => {
    changes.push({ effect, code, path: '', text });
  };
  if (types.has('integer') || types.has('fraction')) {
    compareBound(before, after, 'lower', add);
    compareBound(before, after, 'upper', add);
    compareMultiple(before, after, add);
  }
  for (const { keyword, type, strictest, what } of COUNTS) {
    if (!types.has(type)) continue;
    const [from, to] = [countOf(before, keyword, strictest), countOf(after, keyword, strictest)];
    if (from === to) continue;
    const tighter = from === null || (to !== null && (strictest === 'highest' ? to > from : to < from));
    add(
      tighter ? 'narrowed' : 'widened',
      'limit_changed',
      to === null
        ? `has no limit of ${what} any more`
        : `takes ${to} ${what}${from === null ? '' : `, not ${from}`}`,
    );
  }
  if (types.has('string')) {
    compareTexts(before, after, 'pattern', 'pattern_changed', add);
    compareTexts(before, after, 'format', 'format_changed', add);
  }
  if (types.has('array')) {
    const unique = (schemas: Conjunction) => schemas.some((schema) => schema.uniqueItems === true);
    if (!unique(before) && unique(after)) add('narrowed', 'limit_changed', 'takes no item twice any more');
    if (unique(before) && !unique(after)) add('widened', 'limit_changed', 'takes items twice');
  }
  return changes;
}

type Add = (effect: 'narrowed' | 'widened', code: SchemaChange['code'], text: string) => void;

function compareBound(before: Conjunction, after: Conjunction, side: 'lower' | 'upper', add: Add): void {
  const [from, to] = [boundOf(before, side), boundOf(after, side)];
  if (from?.value === to?.value && from?.exclusive === to?.exclusive) return;
  const sign = side === 'lower' ? 1 : -1;
  const tighter =
    from === null ||
    (to !== null &&
      (to.value * sign > from.value * sign || (to.value === from.value && to.exclusive && !from.exclusive)));
  const words = side === 'lower' ? ['at least', 'more than'] : ['at most', 'less than'];
  const describe = (bound: { value: number; exclusive: boolean }) =>
    `${words[bound.exclusive ? 1 : 0]} ${bound.value}`;
  const was = from === null ? '' : `, was ${describe(from)}`;
  add(
    tighter ? 'narrowed' : 'widened',
    'limit_changed',
    to === null ? `need not be ${from ? describe(from) : ''} any more` : `has to be ${describe(to)}${was}`,
  );
}

/** More steps than a person would write are not compared with each other. */
const MAX_MULTIPLES = 20;

function compareMultiple(before: Conjunction, after: Conjunction, add: Add): void {
  const numbers = (schemas: Conjunction) =>
    schemas.map((schema) => schema.multipleOf).filter((value) => typeof value === 'number');
  const [from, to] = [numbers(before), numbers(after)];
  if (from.join() === to.join()) return;
  const areFew = from.length <= MAX_MULTIPLES && to.length <= MAX_MULTIPLES;
  const stillFits = areFew && to.every((step) => step > 0 && from.some((known) => known % step === 0));
  add(
    stillFits ? 'widened' : 'narrowed',
    'limit_changed',
    to.length === 0
      ? 'need be no multiple any more'
      : `has to be a multiple of ${to.slice(0, MAX_MULTIPLES).join(' and ')}`,
  );
}

/** Whether one pattern takes more than another is not decided: another one may refuse what was taken. */
function compareTexts(
  before: Conjunction,
  after: Conjunction,
  keyword: 'pattern' | 'format',
  code: SchemaChange['code'],
  add: Add,
): void {
  const [from, to] = [new Set(textsOf(before, keyword)), new Set(textsOf(after, keyword))];
  const come = [...to].filter((text) => !from.has(text));
  const gone = [...from].filter((text) => !to.has(text));
  const cut = (text: string | undefined) => (text ?? '').slice(0, 100);
  if (come.length > 0) add('narrowed', code, `has to fit the ${keyword} ${cut(come[0])}`);
  else if (gone.length > 0) add('widened', code, `need not fit the ${keyword} ${cut(gone[0])} any more`);
}
