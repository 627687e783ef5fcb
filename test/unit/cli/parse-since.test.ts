import { expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/cli-io.ts';
import { parseSince } from '../../../src/cli/parse-since.ts';

const NOW = Date.parse('2026-03-02T12:00:00Z');

test.each([
  ['30m', '2026-03-02T11:30:00.000Z'],
  ['12h', '2026-03-02T00:00:00.000Z'],
  ['7d', '2026-02-23T12:00:00.000Z'],
  ['2w', '2026-02-16T12:00:00.000Z'],
  ['90s', '2026-03-02T11:58:30.000Z'],
  ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01T10:00Z', '2026-03-01T10:00:00.000Z'],
  ['2026-03-01T10:00:00.5+02:00', '2026-03-01T08:00:00.500Z'],
])('%s', (text, expected) => {
  expect(new Date(parseSince(text, NOW)).toISOString()).toBe(expected);
});

test.each([
  '',
  '7',
  'd',
  '7 d',
  '-7d',
  '1.5h',
  '7y',
  'yesterday',
  '2026',
  '2026-02-30',
  '2026-13-01',
  '03/01/2026',
  '2026-03-02T13:00Z',
  '999999w',
  '2026-03-01T99:00Z',
])('%j is refused', (text) => {
  expect(() => parseSince(text, NOW)).toThrow(UsageError);
});
