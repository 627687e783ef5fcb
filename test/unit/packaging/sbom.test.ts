import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const script = fileURLToPath(new URL('../../../bin/sbom.mjs', import.meta.url));
const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'));
const run = (file: string, ...words: string[]) =>
  spawnSync(process.execPath, [file, ...words], { encoding: 'utf8' });

test('the lockfile keeps the rules: pinned, with checksums, under licences that permit it', () => {
  expect(run(script, '--check')).toMatchObject({ status: 0, stderr: '' });
});

test('the bill has every package of the lockfile, and what depends on what', () => {
  const bill = JSON.parse(run(script).stdout);
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
  expect(bill.components).toHaveLength(Object.keys(lock.packages).length - 1);
  const refs = new Set(bill.components.map((component: Record<string, string>) => component['bom-ref']));
  expect(refs.size).toBe(bill.components.length);
  for (const { dependsOn } of bill.dependencies) for (const ref of dependsOn) expect(refs).toContain(ref);
  const zod = bill.components.find((component: Record<string, string>) =>
    component['bom-ref']?.endsWith('#node_modules/zod'),
  );
  expect(zod).toMatchObject({
    purl: `pkg:npm/zod@${lock.packages['node_modules/zod'].version}`,
    licenses: [{ expression: 'MIT' }],
    hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
  });
  expect(run(script).stdout).toBe(run(script).stdout);
  expect(JSON.parse(run(script, '--production').stdout).components.length).toBeLessThan(
    bill.components.length,
  );
});

describe('a lockfile that breaks a rule', () => {
  const good = {
    version: '1.0.0',
    resolved: 'https://registry.example/a.tgz',
    integrity: `sha512-${Buffer.alloc(64).toString('base64')}`,
    license: 'MIT',
  };
  test.each([
    [{}, '1.0.0', null],
    [{ license: '(GPL-3.0 OR MIT) AND ISC' }, '1.0.0', null],
    [{ license: 'GPL-3.0-only' }, '1.0.0', 'licence GPL-3.0-only'],
    [{ license: 'MIT AND GPL-3.0' }, '1.0.0', 'licence'],
    [{ license: undefined }, '1.0.0', 'licence of nobody knows'],
    [{ integrity: undefined }, '1.0.0', 'no SHA-512'],
    [{ integrity: 'sha1-abc' }, '1.0.0', 'no SHA-512'],
    [{ resolved: 'git+ssh://host/x' }, '1.0.0', 'comes from git+ssh'],
    [{}, '^1.0.0', 'not pinned exactly'],
  ])('%j, asked for as %s', (change, range, problem) => {
    const folder = mkdtempSync(join(tmpdir(), 'vitals-sbom-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'bin'));
    copyFileSync(script, join(folder, 'bin', 'sbom.mjs'));
    const dependencies = { a: range };
    const packages = { '': { dependencies }, 'node_modules/a': { ...good, ...change } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies }));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({ name: 'x', version: '1.0.0', packages }),
    );
    const { status, stderr } = run(join(folder, 'bin', 'sbom.mjs'), '--check');
    expect({ status, stderr }).toEqual({
      status: problem === null ? 0 : 1,
      stderr: expect.stringContaining(problem ?? ''),
    });
  });
});
