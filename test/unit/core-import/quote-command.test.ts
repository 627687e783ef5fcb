import { spawnSync } from 'node:child_process';
import { array, assert, property, string } from 'fast-check';
import { parse } from 'shell-quote';
import { expect, test } from 'vitest';
import { quoteCommand } from '../../../src/core/import/quote-command.ts';

const words = [
  'a',
  '',
  "it's",
  '$HOME',
  'a b',
  '*',
  '#x',
  '\\',
  "'\\'",
  '"',
  'é',
  'a\nb',
  '{x}',
  '~',
  'A=1',
  '`id`',
  ';',
];

test('a shell reads the words back as they were', () => {
  const { stdout } = spawnSync('/bin/sh', ['-c', `printf '%s\\0' ${quoteCommand(words)}`], {
    encoding: 'utf8',
  });
  expect(stdout.split('\0').slice(0, -1)).toEqual(words);
});

test('so does the parser that starts them', () => {
  assert(
    property(array(string()), (any) => {
      expect(parse(quoteCommand(any))).toEqual(any);
    }),
  );
  expect(parse(quoteCommand(words))).toEqual(words);
});
