import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { readEnvironment } from '../../../src/config/read-environment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitals-env-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the environment wins, then .env.local, then .env', () => {
  writeFileSync(join(folder, '.env'), 'A=env\nB=env\nC=env\n# a comment\nQUOTED="with space"\n');
  writeFileSync(join(folder, '.env.local'), 'A=local\nB=local\n');
  expect(readEnvironment(folder, { A: 'set' })).toEqual({
    A: 'set',
    B: 'local',
    C: 'env',
    QUOTED: 'with space',
  });
});

test('without files the environment is what it was', () => {
  expect(readEnvironment(folder, { A: '1' })).toEqual({ A: '1' });
});

test('a name set to nothing switches a file’s value off', () => {
  writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgres://localhost/x\n');
  const env = readEnvironment(folder, { DATABASE_URL: '' });
  expect(loadConfig(env, folder).database.url).toBeNull();
});

test('a file that cannot be read is a problem of the configuration', () => {
  mkdirSync(join(folder, '.env'));
  expect(() => readEnvironment(folder, {})).toThrow(ConfigError);
  expect(() => readEnvironment(folder, {})).toThrow(/\.env is not readable \(EISDIR\)/);
});
