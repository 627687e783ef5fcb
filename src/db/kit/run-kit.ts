import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DrizzleKitError } from '../errors.ts';
import { findKitProgram } from './load-kit.ts';

/** How much of its output an error repeats, in characters. */
const LAST_WORDS = 2_000;

interface KitRun {
  command: 'generate' | 'studio' | 'introspect';
  /** Further arguments as the user gave them. */
  args: string[];
  migrationsDir: string;
  /** Ends it: a signal for us alone does not reach a child. */
  stop?: AbortSignal;
  /** Read by drizzle.config.ts. */
  env: { VITALS_KIT_URL?: string; VITALS_KIT_OUT?: string };
}

/**
 * Runs drizzle-kit with our drizzle.config.ts on this terminal. It sees only the variables given here
 * (the URL never becomes an argument, where every user of the machine could read it).
 */
async function runKit({ command, args, migrationsDir, env, stop }: KitRun): Promise<void> {
  const project = dirname(resolve(migrationsDir));
  const config = join(project, 'drizzle.config.ts');
  // Its progress is redrawn many times a second: of use on a terminal only.
  const quiet = command === 'introspect' && !process.stdout.isTTY;
  const preload = ['--require', join(project, 'bin', 'kit-partitions.cjs')];
  const child = spawn(
    process.execPath,
    [...preload, findKitProgram(), command, '--config', config, ...args],
    {
      cwd: project,
      env: { ...env, PATH: dirname(process.execPath), TERM: 'xterm-256color' },
      stdio: ['inherit', quiet ? 'pipe' : 'inherit', 'inherit'],
    },
  );
  const end = () => child.kill('SIGTERM');
  stop?.addEventListener('abort', end, { once: true });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LAST_WORDS);
  });
  const [code, signal]: [number | null, string | null] = await new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => settle(end));
  });
  stop?.removeEventListener('abort', end);
  if (signal === 'SIGINT' || signal === 'SIGTERM' || stop?.aborted) return; // how studio is meant to end
  if (code !== 0)
    throw new DrizzleKitError(`drizzle-kit ${command} ended with ${code ?? signal}${said && `: ${said}`}`);
}

/** Writes the migration from the last one to the schema in the source; needs no database. */
export function generateMigration(migrationsDir: string, args: string[] = []): Promise<void> {
  return runKit({ command: 'generate', args, migrationsDir, env: {} });
}

/** Serves drizzle's studio on this database until it is interrupted, or `stop` says so. */
export function openStudio(
  url: string,
  migrationsDir: string,
  stop: AbortSignal,
  args: string[] = [],
): Promise<void> {
  return runKit({ command: 'studio', args, migrationsDir, stop, env: { VITALS_KIT_URL: url } });
}

/**
 * Writes what the database's tables of ours look like, as a Drizzle schema, into `folder`: never into
 * drizzle/, where it would overwrite the migrations' record.
 */
export async function introspectDatabase(
  url: string,
  migrationsDir: string,
  folder: string,
  args: string[] = [],
): Promise<void> {
  if (resolve(folder) === resolve(migrationsDir))
    throw new DrizzleKitError('introspection would overwrite the migrations: choose another folder');
  await mkdir(folder, { recursive: true });
  await runKit({
    command: 'introspect',
    args,
    migrationsDir,
    env: { VITALS_KIT_URL: url, VITALS_KIT_OUT: resolve(folder) },
  });
}
