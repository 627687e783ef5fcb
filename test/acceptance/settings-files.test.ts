import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/daemon.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Program, runProgram, startProgram } from '../support/program.ts';

let folder: string;
let database: TestDatabase;
let program: Program | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitals-files-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended;
  await database.close();
  await rm(folder, { recursive: true });
});

const settings = () => ({
  DATABASE_URL: database.url,
  VITALS_ALERTS_FILE: 'alerts.yaml',
  VITALS_POLICY_FILE: 'policy.yaml',
  VITALS_LOG_FORMAT: 'json',
});

test('files that cannot be used stop a start with exit code 2, every problem told, nothing begun', async () => {
  await writeFile(join(folder, 'alerts.yaml'), 'routes: [{ channels: [nobody] }]\n');
  await writeFile(join(folder, 'policy.yaml'), 'health: { failuresToDown: 0 }\n');
  const { code, stdout, stderr } = await runProgram(['daemon', '--no-demo'], folder, settings());
  expect(code).toBe(2);
  expect(stderr).toMatch(/policy\.yaml:1:\d+: health\.failuresToDown: /);
  expect(stderr).toMatch(/alerts\.yaml:1:\d+: routes\[0\]\.channels\[0\]: no channel is called "nobody"/);
  expect(stdout).not.toContain('metrics');
});

test('a changed file is read on SIGHUP: a broken one is refused, and the daemon goes on', async () => {
  const file = join(folder, 'alerts.yaml');
  await writeFile(file, 'channels: {}\n');
  await writeFile(join(folder, 'policy.yaml'), '');
  const running = startProgram(['daemon', '--no-demo'], folder, settings());
  program = running;
  await running.waitFor(/metrics +http/);
  await writeFile(
    file,
    'channels: { a: { type: slack, url: "https://hooks.example/T0/k3y-of-the-hook-1234" } }\nroutes: 7\n',
  );
  running.child.kill('SIGHUP');
  await eventually('the refusal', () =>
    /cannot be used.*alerts\.yaml:2:\d+: routes: /.test(running.stderr()) ? true : undefined,
  );
  await writeFile(file, 'channels: {}\nroutes: [{ channels: [] }]\n');
  running.child.kill('SIGHUP');
  await eventually('the taking', () =>
    running.stderr().includes('a changed file was taken') ? true : undefined,
  );
  running.child.kill('SIGTERM');
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(running.stderr()).not.toContain('k3y-of-the-hook');
});
