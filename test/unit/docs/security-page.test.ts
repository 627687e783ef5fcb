import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = read('SECURITY.md');
const files = readdirSync(new URL('../../../test', import.meta.url), { recursive: true })
  .map((path) => String(path).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.test.ts'));

/** A row of the table of defences: what it is against, what it is, and the tests that show it. */
const rows = (page.split('## What is defended')[1] ?? '')
  .split('\n## ')[0]
  ?.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| threat'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test.each((rows ?? []).map(([, threat = '', , tests = '']) => [threat, tests]))(
  '%s: the tests that are named are there',
  (_threat, tests) => {
    const names = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const pattern = new RegExp(`^${name.replaceAll('*', '[^/]*')}(\\.test\\.ts|/.*)$`);
      expect(
        files.filter((file) => pattern.test(file)),
        name,
      ).not.toEqual([]);
    }
  },
);

test('the page has a defence for each kind of threat that is worth one', () => {
  expect(rows?.length).toBeGreaterThan(15);
});
