import { expect, test } from 'vitest';
import { secretsOfUrl, stripCredentials } from '../../../src/logging/strip-credentials.ts';

test.each([
  ['postgres://u:p@h/db', 'postgres://h/db'],
  ['postgres://u:p@ss@h/db', 'postgres://h/db'],
  ['see https://tok@h/x and http://h2/y@z', 'see https://h/x and http://h2/y@z'],
  ['http://[::1]:80/?q=a@b', 'http://[::1]:80/?q=a@b'],
  ['wss://h/mcp?access_token=t&monkey=1', 'wss://h/mcp?access_token=[redacted]&monkey=1'],
  ['https://h/mcp?key=1&code=2#f', 'https://h/mcp?key=[redacted]&code=[redacted]#f'],
  ['user:pass@host without a scheme', 'user:pass@host without a scheme'],
])('%s becomes %s', (text, expected) => {
  expect(stripCredentials(text)).toBe(expected);
});

test('a text that is made to be slow is not', () => {
  const texts = [`http:// ${'a'.repeat(200_000)}`, `x://?${'token'.repeat(40_000)}`, 'a://'.repeat(50_000)];
  // Where the search is quadratic this takes minutes, which the runner does not wait for.
  for (const text of texts) expect(stripCredentials(text)).toBe(text);
});

test.each([
  ['postgres://u:p%40ssword@h/db', ['p%40ssword', 'p@ssword']],
  ['redis://:plain@h', ['plain']],
  ['redis://:50%@h', ['50%']],
  ['postgres://h/db', []],
  [null, []],
])('the secrets of %s', (url, expected) => {
  expect(secretsOfUrl(url)).toEqual(expected);
});
