import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort, runProgram, startProgram } from '../support/program.ts';

const cwd = mkdtempSync(join(tmpdir(), 'mcp-vitals-db-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
});
afterAll(async () => {
  await database.close();
  rmSync(cwd, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

describe.each(['embedded', 'DATABASE_URL'])('npm run db:… on %s', (where) => {
  const run = (...args: string[]) =>
    runProgram(['db', ...args], cwd, where === 'embedded' ? {} : { DATABASE_URL: database.url });

  test.each([
    [['migrate'], /applied \d+ migrations/],
    [['migrate'], /up to date/],
    [['push'], /has what the schema says/],
    [['seed'], /put \d+ rows into 31 tables/],
    [['seed'], /there already/],
    [['introspect'], /introspected/],
    [['reset'], /made 31 tables anew/],
    [['reset-and-seed'], /put \d+ rows into 31 tables/],
    [['adopt'], /taken over before/],
  ])('db %j', async (args, said) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(said);
  });

  test('db reset wants --force for what looks like production', async () => {
    const environment = {
      ...(where === 'embedded' ? {} : { DATABASE_URL: database.url }),
      NODE_ENV: 'production',
    };
    const refused = await runProgram(['db', 'reset'], cwd, environment);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--force');
    expect((await runProgram(['db', 'reset', '--force'], cwd, environment)).code).toBe(0);
  });

  test('db studio serves until it is told to end', async () => {
    const environment: Record<string, string> = where === 'embedded' ? {} : { DATABASE_URL: database.url };
    const studio = startProgram(['db', 'studio', '--port', String(await freePort())], cwd, environment);
    await studio.waitFor(/local\.drizzle\.studio|Drizzle Studio/i);
    studio.child.kill('SIGTERM');
    expect((await studio.ended).code).toBe(0);
  });
});

test('db generate finds nothing to write: the migrations are what the schema says', async () => {
  const { code, stdout, stderr } = await runProgram(['db', 'generate'], cwd);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('No schema changes');
});
