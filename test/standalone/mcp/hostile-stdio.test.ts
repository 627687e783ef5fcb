import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childEnvironmentOf } from '../../../src/config/child-environment.ts';
import type { Reason } from '../../../src/core/reasons.ts';
import type { ProbeLimits } from '../../../src/mcp/limits.ts';
import { watchedProber } from '../../support/hostile.ts';
import { expectHeld } from '../../support/watched-prober.ts';

const ROUGH = fileURLToPath(new URL('../../fixtures/mcp-servers/rough-stdio.mjs', import.meta.url));
/** A Node process needs a while to boot on a busy machine. */
const TIMEOUT_MS = 10_000;
const LIMITS = { bodyBytes: 2 * 1024 * 1024, lineBytes: 1024 * 1024, messages: 2_000, stderrBytes: 4_096 };

const prober = watchedProber();
let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'vitals-stdio-')));
});
afterEach(() => rm(folder, { recursive: true }));

/** Whether a process is still at work; one that is dead and not yet reaped by its parent is not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function probe(
  words: string[],
  options: { env?: Record<string, string>; cwd?: string; timeoutMs?: number } = {},
  limits: Partial<ProbeLimits> = {},
) {
  const pidFile = join(folder, 'pids');
  const environment = childEnvironmentOf({ ...process.env, VITALS_TEST_SECRET: 'not for children' });
  const target = {
    transport: 'stdio',
    timeoutMs: TIMEOUT_MS,
    ...options,
    env: { ...options.env, PID_FILE: pidFile },
  } as const;
  const watched = await prober().probe({ words, target, limits: { ...LIMITS, ...limits }, environment });
  const { outcome } = watched;
  expectHeld(watched, target.timeoutMs);
  expect(outcome.footprint.sessionsClosed).toBe(outcome.footprint.sessionsOpened);
  const pids = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number);
  expect(pids.filter(isAlive)).toEqual([]);
  return { outcome, pids, ...watched.told };
}

const rough = (...ways: string[]) => [process.execPath, ROUGH, ...ways];

const CASES: Array<{
  ways: string[];
  reason: Reason;
  fault?: object;
  timeoutMs?: number;
  limits?: Partial<ProbeLimits>;
}> = [
  { ways: ['good'], reason: 'ok' },
  { ways: ['exit'], reason: 'exited', fault: { kind: 'exit', exitCode: 3, signal: null } },
  { ways: ['abort'], reason: 'exited', fault: { kind: 'exit', exitCode: null, signal: 'SIGSEGV' } },
  { ways: ['die-in-list'], reason: 'exited', fault: { exitCode: 7 } },
  { ways: ['flood-stderr'], reason: 'ok', limits: { bodyBytes: 8 * 1024 * 1024 } },
  { ways: ['flood-stderr-for-ever', 'silent'], reason: 'answer_too_large', fault: { limit: 'body' } },
  { ways: ['junk-line'], reason: 'ok' },
  { ways: ['junk'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['broken-json', 'silent'], reason: 'protocol_error', timeoutMs: 2_500 },
  { ways: ['silent'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['silent', 'deaf'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['stay'], reason: 'ok' },
  { ways: ['deaf'], reason: 'ok' },
  { ways: ['flood-stdout'], reason: 'line_too_long', fault: { limit: 'line' } },
  { ways: ['flood-messages'], reason: 'too_many_messages', fault: { limit: 'messages' } },
  { ways: ['flood-questions'], reason: 'too_many_messages', fault: { limit: 'messages' } },
  { ways: ['half-line', 'silent'], reason: 'stalled', limits: { stallMs: 500 } },
  { ways: ['drip', 'silent'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['close-stdin'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['binary'], reason: 'ok' },
  { ways: ['die-in-ping'], reason: 'exited', fault: { exitCode: 7 } },
  { ways: ['die-in-initialize'], reason: 'exited', fault: { exitCode: 7 } },
  { ways: ['die-when-initialized'], reason: 'exited', fault: { exitCode: 7 } },
  { ways: ['close-stdout', 'silent'], reason: 'timeout_handshake', timeoutMs: 2_500 },
  { ways: ['reject'], reason: 'rpc_error', fault: { code: -32603 } },
];

describe('a rough stdio server', () => {
  it.each(CASES)('$ways: $reason', async ({ ways, reason, fault, timeoutMs = TIMEOUT_MS, limits = {} }) => {
    const probed = await probe(rough(...ways), { timeoutMs }, limits);
    expect(probed.reason, JSON.stringify(probed.outcome.fault)).toBe(reason);
    if (fault) expect(probed.outcome.fault).toMatchObject(fault);
    expect(probed.pids).toHaveLength(1);
  });

  it('has children, of which one is deaf: all of them are gone', async () => {
    const { reason, pids } = await probe(rough('children'));
    expect(reason).toBe('ok');
    expect(pids).toHaveLength(3);
  });

  it('dies and leaves children behind: they are gone too', async () => {
    const { reason, pids } = await probe(rough('children', 'die-in-list'));
    expect(reason).toBe('exited');
    expect(pids).toHaveLength(3);
  });

  it('says on stderr why it ends, and no secret of its own', async () => {
    const { outcome } = await probe(rough('exit'), { env: { API_TOKEN: 'hunter2hunter2' } });
    expect(outcome.fault).toMatchObject({ kind: 'exit', stderr: 'cannot open the database\nsecret is ***' });
  });

  it('repeats a secret in an error: it is hidden', async () => {
    const { message } = await probe(rough('reject'), { env: { API_TOKEN: 'hunter2hunter2' } });
    expect(message).toContain('*** is wrong');
    expect(message).not.toContain('hunter2');
  });

  it('sees of our environment what it needs, and its own', async () => {
    const { outcome } = await probe(rough('environment'), { env: { OWN: 'yes' }, cwd: folder });
    const [tool] = outcome.inventory?.tools ?? [];
    const names = String(tool?.description).split(',');
    expect(names).toContain('PATH');
    expect(names).toContain('OWN');
    expect(names).not.toContain('VITALS_TEST_SECRET');
    expect(tool?.cwd).toBe(folder);
  });
});

describe('a command that cannot be started', () => {
  it('is not there', async () => {
    const { reason, outcome } = await probe(['no-such-command-anywhere']);
    expect(reason).toBe('spawn_failed');
    expect(outcome.fault).toMatchObject({ kind: 'spawn', code: 'ENOENT' });
    expect(outcome.fault?.message).toContain('no-such-command-anywhere');
  });

  it('has a working folder that is not there', async () => {
    const { reason, message } = await probe(rough('good'), { cwd: join(folder, 'nowhere') });
    expect(reason).toBe('spawn_failed');
    expect(message).toMatch(/working folder .*nowhere does not exist/);
  });

  it('is below a file', async () => {
    const { reason, outcome } = await probe(['/etc/passwd/server']);
    expect(reason).toBe('spawn_failed');
    expect(outcome.fault).toMatchObject({ code: 'ENOTDIR' });
  });

  it('is a folder', async () => {
    const { reason, outcome } = await probe([folder]);
    expect(reason).toBe('spawn_failed');
    expect(outcome.fault).toMatchObject({ kind: 'spawn', code: 'EACCES' });
  });

  it('names an interpreter that is not there', async () => {
    const script = join(folder, 'script');
    await writeFile(script, '#!/no/such/interpreter\n', { mode: 0o755 });
    const { reason, outcome } = await probe([script]);
    expect(reason).toBe('spawn_failed');
    expect(outcome.fault).toMatchObject({ kind: 'spawn', code: 'ENOENT' });
    expect(outcome.fault?.message).toContain(script);
  });

  it('has more arguments than the system takes', async () => {
    expect((await probe(['true', 'x'.repeat(4_000_000)])).reason).toBe('spawn_failed');
  });

  it('may not be executed', async () => {
    const file = join(folder, 'plain.txt');
    await writeFile(file, 'no program');
    const { reason, outcome } = await probe([file]);
    expect(reason).toBe('spawn_failed');
    expect(outcome.fault).toMatchObject({ code: 'EACCES' });
  });
});
