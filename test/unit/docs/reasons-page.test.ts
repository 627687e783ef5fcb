import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASON_CODES, REASONS, VERDICTS } from '../../../src/core/reasons.ts';

const page = readFileSync(new URL('../../../docs/reasons.md', import.meta.url), 'utf8');

/** What the page says of each code; a heading of the third level begins one. */
const sections = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [code = '', facts = '', meaning = '', action = ''] =
      section.split(/^## /m)[0]?.trim().split('\n\n') ?? [];
    const parsed = /^Verdict `(\w+)`, check `(\w+)`: (.*)\.$/.exec(facts);
    return {
      code,
      verdict: parsed?.[1],
      check: parsed?.[2],
      title: parsed?.[3],
      meaning,
      suggestion: action.replace('**What to do:** ', ''),
    };
  });

test('the page and the code have the same reasons, each once', () => {
  expect(sections.map(({ code }) => code).sort()).toEqual([...REASON_CODES].sort());
});

test.each(REASON_CODES)('%s: verdict, check, title and suggestion are those of the code', (code) => {
  const section = sections.find((candidate) => candidate.code === code);
  const { verdict, check, title, suggestion } = REASONS[code];
  expect(section).toMatchObject({ verdict, check, title, suggestion });
  expect(section?.meaning.length).toBeGreaterThan(40);
});

test('the page explains every verdict', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows).toEqual([...VERDICTS]);
});
