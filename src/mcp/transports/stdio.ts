import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Fault } from '../../core/outcome.ts';
import type { Endpoint } from '../../core/target.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { watchProcessCount } from '../processes/count-processes.ts';
import { descendantsOf } from '../processes/end-marked.ts';
import { findCommand, needsShell } from '../processes/find-command.ts';
import { findLimiter, readRefusal } from '../processes/limits.ts';
import { MARK_NAME, newMark } from '../processes/mark.ts';
import { CUT_MARK } from '../scrub.ts';
import { LineReader } from './line-reader.ts';
import { MessageReader } from './message-reader.ts';
import type { ProbeTransport } from './probe-transport.ts';
import { endProcessGroup, rememberProcessGroup } from './process-group.ts';
import { readInTurns } from './read-in-turns.ts';
import { StallWatch } from './stall-watch.ts';

type Command = Extract<Endpoint, { transport: 'stdio' }>;

/** How long output may still come out of the pipes after the child has ended. */
const DRAIN_MS = 100;

/** What is still read of a child that is to end. */
const MAX_LATE_BYTES = 256 * 1024;

/** What to say of a command that could not be started; a missing folder looks like a missing command. */
async function spawnFault(error: unknown, { command, cwd }: Command): Promise<Fault> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  if (cwd !== undefined) {
    const folder = await stat(cwd).catch(() => null);
    if (!folder?.isDirectory()) {
      return {
        kind: 'spawn',
        code,
        message: `the working folder ${cwd} ${folder ? 'is no folder' : 'does not exist'}`,
      };
    }
  }
  if (code === 'ENOENT') return { kind: 'spawn', code, message: `the command ${command} was not found` };
  if (code === 'EACCES')
    return { kind: 'spawn', code, message: `the command ${command} may not be executed` };
  if (code === 'ENOEXEC') {
    const message = `the command ${command} is neither a program nor a script that names its interpreter (#!)`;
    return { kind: 'spawn', code, message };
  }
  return { kind: 'spawn', code, message: `the command ${command} could not be started (${code})` };
}

/** A child process of our own, speaking one JSON message a line; no shell, and no environment of ours. */
export class StdioTransport implements ProbeTransport {
  onmessage?: ProbeTransport['onmessage'];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  failure: Fault | null = null;
  suspect: string | null = null;
  #child: ChildProcessWithoutNullStreams | null = null;
  #stderr = Buffer.alloc(0);
  #stderrIsCut = false;
  #ending: Promise<void> | undefined;
  /** What the child and all that it starts carry in their environment. */
  #mark = '';
  #stopCounting: () => void = () => undefined;
  #isExcessive = false;
  #lateBytes = 0;
  /** A work folder of ours, to be removed. */
  #folder: string | null = null;
  readonly #command: Command;
  readonly #context: ProbeContext;
  readonly #messages: MessageReader;

  constructor(command: Command, context: ProbeContext) {
    this.#command = command;
    this.#context = context;
    this.#messages = new MessageReader('a line', context, {
      onMessage: (message) => {
        context.allowance.takeMessage(message);
        this.onmessage?.(message);
      },
      onNone: (problem, line) => {
        // Other lines are logs gone astray: clients pass over them, and so does the probe.
        if (line.trimStart().startsWith('{')) this.suspect = `in its output, ${problem}`;
      },
      onFault: (error) => this.#fail(this.#faultOf(error)),
    });
  }

  async start(): Promise<void> {
    const { watch, admission, childEnvironment, footprint, sessions, limits } = this.#context;
    const { command, args, env } = this.#command;
    admission.checkCommand(this.#command);
    watch.dial('spawn');
    const { file, limiter, cwd } = await this.#prepare();
    // The probe may be over by now, and nobody would end a child that is started after that.
    if (this.#ending) {
      await this.#removeFolder();
      throw new Error('the probe is over');
    }
    const environment = { ...childEnvironment, ...env, [MARK_NAME]: this.#mark };
    const [program = command, ...words] = [...limiter, file, ...args];
    const child = await this.#spawn(program, words, environment, cwd).catch(async (error: unknown) => {
      await this.#removeFolder();
      throw error;
    });
    watch.dialled();
    this.#child = child;
    footprint.childrenLive += 1;
    sessions.open();
    this.#listen(child);
    this.#stopCounting = watchProcessCount(this.#mark, child.pid ?? 0, limits.processes, () => {
      const message = `its command had more than ${limits.processes} processes at once`;
      this.#isExcessive = true;
      this.#fail({ kind: 'limit', phase: watch.phase, limit: 'processes', message });
    });
  }

  /** Makes the child's mark and the folder it works in, and finds its program; the words before that put limits on it. */
  async #prepare(): Promise<{ file: string; limiter: string[]; cwd: string | undefined }> {
    const { children, childEnvironment, limits } = this.#context;
    const { command, env } = this.#command;
    this.#mark = newMark(await children.owner());
    if (this.#command.cwd === undefined) this.#folder = (await children.folders?.make()) ?? null;
    const cwd = this.#command.cwd ?? this.#folder ?? undefined;
    const [limiter, file] = await Promise.all([
      findLimiter(limits),
      findCommand(command, env.PATH ?? childEnvironment.PATH, cwd),
    ]);
    if (file !== null) {
      if (await needsShell(file)) throw await this.#refuse('ENOEXEC');
      return { file, limiter: limiter ?? [], cwd };
    }
    // Of a path Node says best why it cannot be started; a name it would look for where we do not. Windows has
    // rules of its own for names.
    if (command.includes('/') || process.platform === 'win32') return { file: command, limiter: [], cwd };
    throw await this.#refuse('ENOENT');
  }

  /** Why the command is not started, in the words of an attempt. */
  async #refuse(code: string): Promise<FaultError> {
    await this.#removeFolder();
    return new FaultError(await spawnFault(Object.assign(new Error(), { code }), this.#command));
  }

  async #removeFolder(): Promise<void> {
    if (this.#folder !== null) await this.#context.children.folders?.remove(this.#folder);
  }

  /** Node reports some reasons by an event and throws the others; both become the same fault. */
  async #spawn(
    command: string,
    args: string[],
    env: Record<string, string>,
    cwd: string | undefined,
  ): Promise<ChildProcessWithoutNullStreams> {
    try {
      // Its own process group, so that all that it starts can be ended with it.
      const options = { env, stdio: 'pipe', detached: true, ...(cwd === undefined ? {} : { cwd }) } as const;
      const child = spawn(command, args, options);
      if (child.pid !== undefined) {
        rememberProcessGroup(child.pid);
        return child;
      }
      const [error] = await once(child, 'error');
      throw error;
    } catch (error) {
      throw new FaultError(await spawnFault(error, this.#command));
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.failure) throw new FaultError(this.failure);
    // A pipe whose reader is gone is not the news; the child's exit is, and it follows.
    const line = `${JSON.stringify(message)}\n`;
    this.#context.bytes.sent += Buffer.byteLength(line);
    this.#child?.stdin.write(line);
  }

  close(): Promise<void> {
    return this.end(this.#context.limits.closeMs);
  }

  end(graceMs: number): Promise<void> {
    this.#ending ??= this.#end(graceMs);
    return this.#ending;
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    const { limits, allowance, lane, watch, bytes } = this.#context;
    const spawnedAt = performance.now();
    const reader = new LineReader(limits.lineBytes, (line) => this.#readLine(line));
    const stall = new StallWatch(this.#context, ({ fault }) => this.#fail(fault));
    child.stdout.on('close', () => stall.stop());
    const takeOutput = (chunk: Buffer) => {
      bytes.received += chunk.length;
      if (this.failure || this.#ending) {
        stall.stop();
        this.#takeLate(child, chunk);
        return;
      }
      watch.firstByte(spawnedAt);
      try {
        const fits = reader.feed(chunk);
        if (!fits)
          this.#fail({
            kind: 'limit',
            phase: watch.phase,
            limit: 'line',
            message: `a line of its output is longer than ${limits.lineBytes} bytes`,
          });
        allowance.takeBytes(chunk.length);
        stall.saw(reader.isWithin);
      } catch (error) {
        this.#fail(this.#faultOf(error));
      }
    };
    const outputIdle = readInTurns(child.stdout, lane, takeOutput, stall);
    readInTurns(child.stderr, lane, (chunk) => {
      bytes.received += chunk.length;
      if (this.failure || this.#ending) this.#takeLate(child, chunk);
      else this.#takeStderr(chunk);
      const all = Buffer.concat([this.#stderr, chunk]);
      this.#stderrIsCut ||= all.length > limits.stderrBytes;
      this.#stderr = all.subarray(-limits.stderrBytes);
    });
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      // A broken pipe means that the child is ending: its exit tells more.
      stream.on('error', (error) => this.onerror?.(error));
    }
    child.on('error', (error) => this.onerror?.(error));
    child.once('exit', (exitCode, signal) => {
      // What it said before is heard first.
      const report = async () => {
        await outputIdle();
        await this.#messages.idle();
        this.#exited(exitCode, signal);
      };
      // A grandchild may hold the pipes open for ever, so 'close' alone would not do.
      const timer = setTimeout(() => void report(), DRAIN_MS);
      child.once('close', () => {
        clearTimeout(timer);
        void report();
      });
    });
  }

  /** Logs count like any output: somebody has to read them. */
  #takeStderr(chunk: Buffer): void {
    try {
      this.#context.allowance.takeBytes(chunk.length);
    } catch (error) {
      this.#fail(this.#faultOf(error));
    }
  }

  /** What nobody needs any more is read for a while, so that the child can end; whoever goes on is not read. */
  #takeLate(child: ChildProcessWithoutNullStreams, chunk: Buffer): void {
    this.#lateBytes += chunk.length;
    if (this.#lateBytes <= MAX_LATE_BYTES) return;
    child.stdout.destroy();
    child.stderr.destroy();
  }

  #readLine(line: string): void {
    if (line.trim() !== '') this.#messages.read(line);
  }

  #exited(exitCode: number | null, signal: string | null): void {
    if (this.failure || this.#ending) return;
    const how = signal === null ? `with exit code ${exitCode}` : `by signal ${signal}`;
    const stderr = (this.#stderrIsCut ? CUT_MARK : '') + this.#stderr.toString('utf8');
    const refusal = readRefusal(exitCode, stderr);
    if (refusal !== null) {
      const message = `the command ${this.#command.command} could not be started (${refusal})`;
      this.#fail({ kind: 'spawn', code: exitCode === 127 ? 'ENOENT' : 'EACCES', message });
      return;
    }
    this.#fail({
      kind: 'exit',
      exitCode,
      signal,
      stderr,
      message: `its process ended ${how} before it answered`,
    });
  }

  #faultOf(error: unknown): Fault {
    return error instanceof FaultError ? error.fault : { kind: 'internal', message: String(error) };
  }

  #fail(fault: Fault): void {
    if (this.failure) return;
    this.failure = fault;
    this.onclose?.();
  }

  async #end(graceMs: number): Promise<void> {
    const { footprint, sessions } = this.#context;
    this.#messages.stop();
    if (!this.failure) this.onclose?.();
    const child = this.#child;
    this.#stopCounting();
    if (!child) return;
    const { children } = this.#context;
    // Whoever left the group and cleared its environment is known by its parent alone, while that is there.
    const known = child.pid === undefined ? [] : await descendantsOf(child.pid);
    // Whoever starts processes without end is not asked to end first.
    await endProcessGroup(child, this.#isExcessive ? 0 : graceMs);
    await children.end(this.#mark, known);
    await this.#removeFolder();
    footprint.childrenLive -= 1;
    sessions.close();
  }
}
