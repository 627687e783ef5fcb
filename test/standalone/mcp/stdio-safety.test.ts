import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { classify } from '../../../src/core/classify.ts';
import type { CommandPolicy } from '../../../src/core/command-policy.ts';
import type { ProbeTarget } from '../../../src/core/target.ts';
import type { ProbeLimits } from '../../../src/mcp/limits.ts';
import { createProber } from '../../../src/mcp/prober.ts';
import { openChildren } from '../../../src/mcp/processes/children.ts';
import { findLimiter } from '../../../src/mcp/processes/limits.ts';
import { CLIENT_INFO, gaugesOf, NOTHING_LEFT, targetOf } from '../../support/mcp-probing.ts';

const ROUGH = fileURLToPath(new URL('../../fixtures/mcp-servers/rough-stdio.mjs', import.meta.url));
const loader = new URL('../../support/typescript-loader.mjs', import.meta.url).href;
const TIMEOUT_MS = 20_000;
const rough = (...ways: string[]) => [process.execPath, ROUGH, ...ways];

let folder: string;
const mine: ChildProcess[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'vitals-safety-')));
});
afterEach(async () => {
  for (const child of mine.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** Whether a process is still at work; one that is dead and not yet reaped by its parent is not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
const pidsIn = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : [];

async function probe(
  words: readonly string[],
  options: {
    policy?: CommandPolicy;
    env?: Record<string, string>;
    cwd?: string;
    limits?: Partial<ProbeLimits>;
  } = {},
) {
  const pidFile = join(folder, 'pids');
  const children = await openChildren(join(folder, 'data'), options.policy ?? null);
  const prober = createProber({
    clientInfo: CLIENT_INFO,
    children,
    environment: { PATH: process.env.PATH ?? '' },
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const target = targetOf(words, {
    transport: 'stdio',
    timeoutMs: TIMEOUT_MS,
    env: { ...options.env, PID_FILE: pidFile },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const outcome = await prober.probe(target);
  expect(gaugesOf(prober)).toEqual(NOTHING_LEFT);
  expect(readdirSync(join(folder, 'data', 'work'))).toEqual([]);
  const pids = pidsIn(pidFile);
  expect(pids.filter(isAlive)).toEqual([]);
  return { outcome, pids, ...classify(outcome) };
}

describe('the commands that a daemon runs', () => {
  const policy = [[process.execPath, ROUGH, 'good']];

  it('are those that are listed', async () => {
    expect((await probe(rough('good'), { policy })).reason).toBe('ok');
    expect((await probe(rough('good', 'stay'), { policy })).reason).toBe('ok');
  });

  it.each([
    [rough('stay'), {}],
    [['sh', '-c', 'touch hacked'], {}],
    [rough('good'), { PATH: '/tmp' }],
    [rough('good'), { NODE_OPTIONS: '--import=data:text/javascript,process.exit(9)' }],
    [rough('good'), { LD_PRELOAD: '/tmp/x.so' }],
  ])('%j with %j is not run', async (words, env) => {
    const { reason, verdict, pids } = await probe(words, { policy, env });
    expect({ reason, verdict, pids }).toEqual({ reason: 'command_denied', verdict: 'unknown', pids: [] });
  });

  it('are none when the list is empty, and their secrets stay sealed', async () => {
    let opened = false;
    const children = await openChildren(join(folder, 'data'), []);
    const prober = createProber({ clientInfo: CLIENT_INFO, children });
    const target: ProbeTarget = targetOf(rough('good'), { transport: 'stdio' });
    const outcome = await prober.probe({
      ...target,
      reveal: () => {
        opened = true;
        return target;
      },
    });
    expect(classify(outcome).reason).toBe('command_denied');
    expect(opened).toBe(false);
  });

  it('are found on the PATH that the daemon gives, never in the folder they work in', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'only-here'), `#!${process.execPath}\n`, { mode: 0o755 });
    const { reason } = await probe(['only-here'], { cwd: bin });
    expect(reason).toBe('spawn_failed');
  });
});

describe('a child', () => {
  it('works in a folder of its own, empty at first and removed at the end', async () => {
    const { outcome } = await probe(rough('environment'));
    const [tool] = outcome.inventory?.tools ?? [];
    expect(String(tool?.cwd)).toMatch(new RegExp(`^${join(folder, 'data', 'work')}/`));
    expect(existsSync(String(tool?.cwd))).toBe(false);
  });

  it('works where its row says, through a link too; what is there stays', async () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real', 'precious'), 'x');
    await symlink(join(folder, 'real'), join(folder, 'link'));
    const { outcome } = await probe(rough('environment'), { cwd: join(folder, 'link') });
    expect(outcome.inventory?.tools[0]?.cwd).toBe(join(folder, 'real'));
    expect(existsSync(join(folder, 'real', 'precious'))).toBe(true);
  });

  it('has no more memory than it is given, and its end is told', async () => {
    expect(await findLimiter()).not.toBeNull();
    const { reason, outcome, message } = await probe(rough('eat-memory'));
    expect(reason, JSON.stringify(outcome.fault)).toBe('exited');
    expect(message).toMatch(/by signal|exit code/);
  });

  it('that leaves its group is ended, and whatever it has started', async () => {
    const { reason, pids } = await probe(rough('leave-group'));
    expect(reason).toBe('ok');
    expect(pids.length).toBeGreaterThanOrEqual(3);
  });

  it('that leaves its group and clears its environment is ended while its parent is there', async () => {
    const { reason, pids } = await probe(rough('leave-group-bare', 'stay'));
    expect(reason).toBe('ok');
    expect(pids.length).toBeGreaterThanOrEqual(2);
  });

  it('that forks without end is ended, and all of its kind', async () => {
    const { pids } = await probe(rough('fork-bomb'));
    expect(pids.length).toBeGreaterThan(3);
  });

  it('that starts ever more processes is ended long before it has all that it wants', async () => {
    const { reason, verdict, pids, message } = await probe(rough('doubling-bomb', 'silent', 'stay'), {
      limits: { processes: 20 },
    });
    expect({ reason, verdict }).toEqual({ reason: 'too_many_processes', verdict: 'down' });
    expect(message).toContain('more than 20 processes');
    // 2,047 shells and as many sleeps, had it been let.
    expect(pids.length).toBeGreaterThan(4);
    expect(pids.length).toBeLessThan(1_000);
  });
});

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
