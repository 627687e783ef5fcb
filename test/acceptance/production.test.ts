import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../support/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'mcp-vitals-image-'));

/** What the Dockerfile copies into its last stage, and the dependencies that it installs there. */
beforeAll(async () => {
  for (const path of ['package.json', 'package-lock.json', '.npmrc', 'dist', 'drizzle']) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  const { PATH = '', HOME = '' } = process.env;
  const args = ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'];
  await promisify(execFile)('npm', args, { cwd: copy, env: { PATH, HOME }, maxBuffer: 1e8 });
}, 300_000);
afterAll(() => rmSync(copy, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }));

test('the production tree starts, without the demo’s servers, and says that they are missing', async () => {
  const cwd = join(copy, 'work');
  cpSync(join(root, '.npmrc'), join(cwd, '.npmrc'));
  const daemon = startProgram(['daemon'], cwd, { NODE_ENV: 'production' }, copy);
  try {
    const [, url] = await daemon.waitFor(/^health +(\S+)$/m);
    expect(daemon.stdout()).toMatch(/no demo fleet: its servers are not installed \(.*server-everything/);
    expect((await fetch(new URL('/livez', url))).status).toBe(200);
  } finally {
    daemon.child.kill('SIGTERM');
  }
  expect(await daemon.ended).toEqual({ code: 0, signal: null });
});
