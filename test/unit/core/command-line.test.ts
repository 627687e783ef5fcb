import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitCommandLine } from '../../../src/core/command-line.ts';

describe('splitCommandLine', () => {
  it.each([
    ['npx -y server', ['npx', '-y', 'server']],
    ['  a\t b\nc ', ['a', 'b', 'c']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a'b'"c"d`, ['abcd']],
    [`'' "" x`, ['', '', 'x']],
    ['a\\ b \\"c\\"', ['a b', '"c"']],
    [`"a \\"b\\" \\$c \\\\ \\n"`, ['a "b" $c \\ \\n']],
    ['a\\\nb', ['ab']],
    ["'it'\\''s'", ["it's"]],
    ["'$HOME' '`x`' 'a|b;c'", ['$HOME', '`x`', 'a|b;c']],
    [
      'a *.js ~ [x] ? {a,b} #no = % ! $ 5$',
      ['a', '*.js', '~', '[x]', '?', '{a,b}', '#no', '=', '%', '!', '$', '5$'],
    ],
    ['', []],
  ])('splits %j', (text, words) => {
    expect(splitCommandLine(text)).toEqual({ words });
  });

  it.each([
    'a | b',
    'a && b',
    'a; b',
    'a > file',
    'a < file',
    '(a)',
    'a `b`',
    'a "`b`"',
    'a $HOME',
    'a "$HOME"',
    `a $\{HOME}`,
    'a $(b)',
    "a 'b",
    'a "b',
    'a \\',
    'a $- $?',
    'a \\\\$-',
  ])('says what is wrong with %j', (text) => {
    expect(splitCommandLine(text)).toHaveProperty('problem');
  });

  it('splits as a POSIX shell does, or not at all', () => {
    const piece = fc.constantFrom(
      'a',
      'B c',
      "'",
      '"',
      '\\',
      ' ',
      '\\\\',
      "'x y'",
      '"q r"',
      '\\"',
      "\\'",
      '-',
      '.',
      '/',
      'é',
      '\\$',
      '$',
      '\\ ',
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 10 }), (pieces) => {
        const text = pieces.join('');
        const split = splitCommandLine(text);
        if ('problem' in split) return;
        const script = `for word in ${text}\ndo printf '%s\\0' "$word"; done`;
        const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
        expect(output.split('\0').slice(0, -1)).toEqual(split.words);
      }),
      { numRuns: 150 },
    );
  });
});
