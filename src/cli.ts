import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createActions } from './actions/create-actions.ts';
import { runCli, tellError } from './cli/run-cli.ts';
import { loadConfig } from './config/load-config.ts';
import { findPackageRoot } from './config/package-root.ts';
import { readEnvironment } from './config/read-environment.ts';
import type { Config } from './config/types.ts';

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(findPackageRoot(), 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  return version;
}

/** Runs one command line in this process; resolves with its exit code. */
export async function runCommandLine(
  argv: readonly string[],
  signals: { stop: AbortSignal; onHangup(listener: () => void): () => void },
): Promise<number> {
  const cwd = process.cwd();
  let environment: NodeJS.ProcessEnv;
  try {
    environment = readEnvironment(cwd);
  } catch (error) {
    return tellError(error, { err: process.stderr });
  }
  const version = readVersion();
  let config: Config | undefined;
  const actions = createActions({
    version,
    ...signals,
    lookUp: (name) => environment[name],
    config() {
      config ??= loadConfig(environment, cwd);
      return config;
    },
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  return await runCli({
    argv,
    actions,
    version,
    io: {
      out: process.stdout,
      err: process.stderr,
      environment,
      readFile: (path) => readFile(path, 'utf8'),
    },
  });
}
