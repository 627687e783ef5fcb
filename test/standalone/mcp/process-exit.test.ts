import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const loader = new URL('../../support/typescript-loader.mjs', import.meta.url).href;
const module = (path: string) => JSON.stringify(new URL(`../../../src/mcp/${path}`, import.meta.url).href);

/** A probe of a child that heeds neither EOF nor SIGTERM, in a process that exits in the middle of it. */
const program = `
  import { createProber } from ${module('prober.ts')};
  import { targetOfText } from ${module('target.ts')};
  const deaf =
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.stderr.write('x');" +
    "require('fs').appendFileSync(process.env.PID_FILE, String(process.pid))";
  const target = targetOfText([process.execPath, '-e', deaf], {
    timeoutMs: 30_000,
    env: { PID_FILE: process.env.PID_FILE },
  });
  const prober = createProber({ clientInfo: { name: 'test', version: '0' } });
  prober.probe(target);
  process.stdin.once('data', () => process.exit(7));
`;

const readPid = (file: string) => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);

/** One that was killed and that nobody has reaped yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/^\d+ \(.*\) Z/.test(readFileSync(stat, 'utf8'));
}

it('no child outlives the process that probes it, however that ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitals-exit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pidFile = join(folder, 'pid');
  const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', program], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { ...process.env, PID_FILE: pidFile },
  });
  await expect.poll(() => readPid(pidFile), { timeout: 15_000 }).toBeGreaterThan(0);
  const pid = readPid(pidFile);
  expect(isAlive(pid)).toBe(true);
  const exited = once(child, 'exit');
  child.stdin.write('now');
  expect(await exited).toEqual([7, null]);
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
});
