import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { ConfigError, type ConfigProblem } from './config-error.ts';

/** From strongest to weakest, below the environment itself. */
const FILES = ['.env.local', '.env'] as const;

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * The environment with `.env.local`, then `.env`, of the folder beneath it. A name that is set, even to
 * nothing, hides what weaker places say, so `DATABASE_URL= npm start` switches a file's value off.
 */
export function readEnvironment(
  cwd: string,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const problems: ConfigProblem[] = [];
  const merged: NodeJS.ProcessEnv = {};
  for (const file of [...FILES].reverse()) {
    try {
      Object.assign(merged, parse(readIfPresent(join(cwd, file))));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      problems.push({ name: file, found: `not readable (${code})`, allowed: 'a readable file, or none' });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.assign(merged, environment);
}
