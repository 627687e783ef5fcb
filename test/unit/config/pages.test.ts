import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { renderDocsTable, renderEnvExample } from './render-variables.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('.env.example lists every variable with its default, meaning and allowed values', () => {
  expect(read('.env.example')).toBe(renderEnvExample());
});

test('.env.example, used as it is, changes nothing', () => {
  expect(loadConfig(parse(read('.env.example')), '/srv')).toEqual(loadConfig({}, '/srv'));
});

test('docs/configuration.md has the same table', () => {
  expect(read('docs/configuration.md')).toContain(renderDocsTable());
});
