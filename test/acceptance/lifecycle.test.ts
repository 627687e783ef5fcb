import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/daemon.ts';
import { descendantsOf, type Program, runProgram, startProgram, stillRunning } from '../support/program.ts';
import { startTinyMcp } from '../support/tiny-mcp.ts';

let cwd: string;
const programs: Program[] = [];

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'mcp-vitals-life-'));
});
afterEach(async () => {
  for (const program of programs.splice(0)) {
    if (program.child.exitCode === null) program.child.kill('SIGKILL');
    await program.ended;
  }
  rmSync(cwd, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

function start(args: string[], environment: Record<string, string> = {}): Program {
  const program = startProgram(args, cwd, environment);
  programs.push(program);
  return program;
}

const READY = /^metrics +(\S+)\/metrics$/m;

describe('a daemon that is killed', () => {
  test('leaves nothing running for good, and the next one goes on where it stood', async () => {
    const tiny = await startTinyMcp();
    try {
      const first = start(['daemon', '--no-demo']);
      await first.waitFor(READY);
      const added = await runProgram(['servers', 'add', `${tiny.url}/kept`, '--id', 'kept', '--json'], cwd);
      expect(added.code, added.stderr).toBe(0);
      await eventually('the first probe', () => tiny.handshakes.get('/kept'));
      const processes = descendantsOf(first.pid);
      first.child.kill('SIGKILL');
      await first.ended;

      const second = start(['daemon', '--no-demo']);
      await second.waitFor(READY);
      const shown = await runProgram(['servers', 'show', 'kept', '--json'], cwd);
      expect(JSON.parse(shown.stdout)).toMatchObject({ id: 'kept', endpointUrl: `${tiny.url}/kept` });
      const remaining = [...processes, ...descendantsOf(second.pid)];
      second.child.kill('SIGTERM');
      expect(await second.ended).toEqual({ code: 0, signal: null });
      await eventually('everything gone', () => (stillRunning(remaining).length === 0 ? true : undefined));
    } finally {
      await tiny.close();
    }
  });

  test('takes the demo fleet with it', async () => {
    const daemon = start(['daemon']);
    await daemon.waitFor(/^VERDICT/m);
    const processes = descendantsOf(daemon.pid);
    expect(processes.length).toBeGreaterThan(3);
    daemon.child.kill('SIGKILL');
    await daemon.ended;
    await eventually('everything gone', () => (stillRunning(processes).length === 0 ? true : undefined));
  });
});

describe('a second signal', () => {
  test('ends a stop that takes its time', async () => {
    const tiny = await startTinyMcp();
    tiny.delayMs = 8_000;
    try {
      const daemon = start(['daemon', '--no-demo']);
      await daemon.waitFor(READY);
      await runProgram(['servers', 'add', `${tiny.url}/slow`, '--id', 'slow'], cwd);
      await eventually('a probe in flight', () => (tiny.peak.total > 0 ? true : undefined));
      daemon.child.kill('SIGTERM');
      await daemon.waitFor(/stopping/);
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(143);
      expect(tiny.handshakes.size).toBe(0);
    } finally {
      await tiny.close();
    }
  });
});

describe('a signal during the start', () => {
  test('ends the wait for a database, with 0', async () => {
    const daemon = start(['daemon'], { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/db' });
    await eventually('a retry', () => (daemon.stderr().includes('next try in') ? true : undefined));
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toEqual({ code: 0, signal: null });
    expect(daemon.stderr()).not.toContain('cannot be used');
  });
});

describe('an embedded database that dies', () => {
  test('takes the daemon with it: 1, and what to do', async () => {
    const daemon = start(['daemon', '--no-demo']);
    await daemon.waitFor(READY);
    const keeper = JSON.parse(readFileSync(join(cwd, '.mcp-vitals/keeper.json'), 'utf8')) as {
      postgres: { pid: number };
    };
    process.kill(keeper.postgres.pid, 'SIGKILL');
    expect((await daemon.ended).code).toBe(1);
    expect(daemon.stderr()).toContain('the embedded database has ended');
    const again = start(['daemon', '--no-demo']);
    await again.waitFor(READY);
    again.child.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
  });
});

describe('bad surroundings', () => {
  test('a broken environment is told whole, with 2, before anything starts', async () => {
    writeFileSync(join(cwd, '.env'), 'VITALS_LOG_LEVEL=loud\nVITALS_PROBE_CONCURRENCY=many\n');
    const { code, stderr, stdout } = await runProgram(['daemon'], cwd, {
      DATABASE_URL: 'mysql://user:hunter2-secret@host/db',
      VITALS_HTTP_PORT: '70000',
    });
    expect(code).toBe(2);
    for (const name of ['VITALS_LOG_LEVEL', 'VITALS_PROBE_CONCURRENCY', 'DATABASE_URL', 'VITALS_HTTP_PORT']) {
      expect(stderr).toContain(name);
    }
    expect(stderr + stdout).not.toContain('hunter2-secret');
  });

  test('a .env that cannot be read is told like a broken one', async () => {
    mkdirSync(join(cwd, '.env'));
    const { code, stderr } = await runProgram(['servers', 'list'], cwd);
    expect(code).toBe(2);
    expect(stderr).toContain('.env is not readable (EISDIR)');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test('an unreachable database is retried with a clear line, then 1', async () => {
    const daemon = start(['daemon'], { DATABASE_URL: 'postgres://user:hunter2-secret@127.0.0.1:1/db' });
    const { code } = await daemon.ended;
    expect(code).toBe(1);
    expect(daemon.stderr()).toMatch(/127\.0\.0\.1:1\/db does not answer .*next try in/);
    expect(daemon.stderr()).toContain('cannot be used');
    expect(daemon.stderr()).not.toContain('hunter2-secret');
  });

  test('a port that is taken is named, with 1, and nothing is left', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    try {
      const daemon = start(['daemon', '--no-demo'], { VITALS_HTTP_PORT: String(port) });
      const { code } = await daemon.ended;
      expect(code).toBe(1);
      expect(daemon.stderr()).toContain(`port ${port} of 127.0.0.1 is in use`);
    } finally {
      taken.close();
    }
  });

  test.each([
    [['frobnicate']],
    [['daemon', '--frobnicate']],
    [['probe']],
    [['enqueue']],
    [['servers', 'add']],
  ])('wrong usage is 2: %j', async (args) => {
    const { code, stderr } = await runProgram(args, cwd);
    expect(code).toBe(2);
    expect(stderr).toContain('mcp-vitals');
  });
});

describe('mcp-vitals probe', () => {
  test('needs no database, and says with its exit code what it found', async () => {
    const tiny = await startTinyMcp();
    try {
      const up = await runProgram(['probe', tiny.url, '--json', '--tools'], cwd);
      expect(up.code, up.stderr).toBe(0);
      expect(JSON.parse(up.stdout)).toMatchObject({
        target: tiny.url,
        transport: 'http',
        era: 'handshake',
        verdict: 'up',
        reason: 'ok',
        serverInfo: { name: 'tiny', version: '1.0.0' },
        capabilities: { tools: {} },
        inventory: { tools: 1, resources: 0, resourceTemplates: 0, prompts: 0 },
        footprint: { sessionsOpened: 1, sessionsClosed: 1 },
      });
      const exits = await runProgram(['probe', '--json', '--', 'sh', '-c', 'echo it broke >&2; exit 3'], cwd);
      expect(exits.code).toBe(1);
      expect(JSON.parse(exits.stdout)).toMatchObject({ reason: 'exited', stderr: 'it broke' });
      const secret = await runProgram(['probe', tiny.url, '--header', 'Authorization Bearer hunter2'], cwd);
      expect(secret.code).toBe(2);
      expect(secret.stderr).not.toContain('hunter2');
      tiny.failWith = 401;
      const locked = await runProgram(['probe', tiny.url], cwd);
      expect(locked.code).toBe(1);
      expect(locked.stdout).toContain('unauthenticated');
      expect(locked.stdout).toContain('valid token');
    } finally {
      await tiny.close();
    }
  });
});
