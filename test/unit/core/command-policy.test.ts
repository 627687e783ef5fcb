import { describe, expect, it, test } from 'vitest';
import { commandRefusal, parseCommandPrefixes } from '../../../src/core/command-policy.ts';

describe('prefixes', () => {
  it.each([
    ['', []],
    ['npx -y server', [['npx', '-y', 'server']]],
    ['a b, c', [['a', 'b'], ['c']]],
    [`"a, b" c,'d,e'`, [['a, b', 'c'], ['d,e']]],
    ['a\\,b', [['a,b']]],
    [`'a\\', b`, [['a\\'], ['b']]],
    [',,', []],
  ])('%s', (text, prefixes) => expect(parseCommandPrefixes(text)).toEqual(prefixes));

  it.each(["npx 'open", 'a | b', 'a $HOME', 'a; b, c'])('%s cannot be read', (text) =>
    expect(parseCommandPrefixes(text)).toBeUndefined(),
  );
});

const policy = [['npx', '-y', 'good-server'], ['/opt/server']];

test.each([
  [['npx', '-y', 'good-server'], true],
  [['npx', '-y', 'good-server', '--port', '1'], true],
  [['/opt/server'], true],
  [['npx', '-y', 'good-server-evil'], false],
  [['npx', '-y'], false],
  [['npx', '-y', 'other'], false],
  [['./npx', '-y', 'good-server'], false],
  [['/opt/../opt/server'], false],
  [['sh', '-c', 'npx -y good-server'], false],
  [[], false],
])('%j may be run: %s', (words, expected) => {
  expect(commandRefusal(policy, words) === null).toBe(expected);
  expect(commandRefusal(null, words)).toBeNull();
  expect(commandRefusal([], words)).not.toBeNull();
  expect(commandRefusal([[]], words)).not.toBeNull();
});

test.each([
  'PATH',
  'LD_PRELOAD',
  'NODE_OPTIONS',
  'npm_config_registry',
  'PYTHONPATH',
  'BASH_ENV',
  'HOME',
  'MCP_VITALS_PROBE',
])('%s turns a permitted command into another one', (name) => {
  expect(commandRefusal(policy, ['/opt/server'], ['API_KEY', name])).toMatch(name);
  expect(commandRefusal(null, ['/opt/server'], [name])).toBeNull();
});

test('variables of the server itself are its own', () => {
  expect(commandRefusal(policy, ['/opt/server'], ['API_KEY', 'MEMORY_FILE_PATH', 'DATABASE_URL'])).toBeNull();
});
