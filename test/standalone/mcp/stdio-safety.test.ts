import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openChildren } from '../../../src/mcp/processes/children.ts';
import { rough } from '../../fixtures/mcp-servers/hostile/stdio-cases.ts';
import { isAlive } from '../../support/is-alive.ts';

const loader = new URL('../../support/typescript-loader.mjs', import.meta.url).href;

let folder: string;
const mine: ChildProcess[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'vitals-safety-')));
});
afterEach(async () => {
  for (const child of mine.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const pidsIn = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : [];

describe('a worker that is killed in the middle', () => {
  const module = (path: string) => JSON.stringify(new URL(`../../../src/mcp/${path}`, import.meta.url).href);
  const program = `
    import { createProber } from ${module('prober.ts')};
    import { openChildren } from ${module('processes/children.ts')};
    import { targetOfText } from ${module('target.ts')};
    const children = await openChildren(process.env.DATA_DIR, null);
    const prober = createProber({ clientInfo: { name: 'test', version: '0' }, children });
    const target = targetOfText(JSON.parse(process.env.WORDS), { transport: 'stdio', timeoutMs: 60000, env: { PID_FILE: process.env.PID_FILE } });
    await prober.probe(target);
  `;
  async function startWorker(name: string): Promise<{ worker: ChildProcess; pidFile: string }> {
    const pidFile = join(folder, name);
    const worker = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        DATA_DIR: join(folder, 'data'),
        PID_FILE: pidFile,
        WORDS: JSON.stringify(rough('silent', 'deaf', 'stay', 'children', 'leave-group')),
      },
    });
    mine.push(worker);
    await expect.poll(() => pidsIn(pidFile).length, { timeout: 40_000 }).toBeGreaterThanOrEqual(5);
    return { worker, pidFile };
  }

  it('leaves nothing once the next one has started, which spares what others have started', async () => {
    const killed = await startWorker('killed');
    const alive = await startWorker('alive');
    const exited = once(killed.worker, 'exit');
    killed.worker.kill('SIGKILL');
    await exited;
    expect(pidsIn(killed.pidFile).some(isAlive)).toBe(true);

    const { leftovers } = await openChildren(join(folder, 'data'), null);
    expect(leftovers).toBeGreaterThanOrEqual(1);
    // A process that was sent SIGKILL takes a moment to go.
    await vi.waitFor(() => expect(pidsIn(killed.pidFile).filter(isAlive)).toEqual([]), { timeout: 10_000 });
    expect(pidsIn(alive.pidFile).every(isAlive)).toBe(true);
    expect(readdirSync(join(folder, 'data', 'work'))).toHaveLength(1);

    const stopped = once(alive.worker, 'exit');
    alive.worker.kill('SIGKILL');
    await stopped;
    // Another data folder has no say in it.
    expect((await openChildren(join(folder, 'other'), null)).leftovers).toBe(0);
    expect((await openChildren(join(folder, 'data'), null)).leftovers).toBeGreaterThanOrEqual(1);
    await vi.waitFor(() => expect(pidsIn(alive.pidFile).filter(isAlive)).toEqual([]), { timeout: 10_000 });
  }, 120_000);
});
