import { join, resolve } from 'node:path';
import { childEnvironmentOf } from './child-environment.ts';
import { ConfigError, type ConfigProblem, describeValue } from './config-error.ts';
import { findPackageRoot } from './package-root.ts';
import { warnOfUnknownNames } from './suggest-names.ts';
import type { Config } from './types.ts';
import { VARIABLES, type Variable } from './variables.ts';

/**
 * Reads the whole configuration from an environment; relative folders start at `cwd`.
 * An empty variable counts as unset. Throws one ConfigError that names every problem.
 */
export function loadConfig(env: NodeJS.ProcessEnv, cwd: string): Config {
  const problems: ConfigProblem[] = [];

  function optional<T>({ name, default: defaultText, shape, secret }: Variable<T>): T | null {
    const given = env[name]?.trim() ?? '';
    const text = given === '' ? defaultText : given;
    if (text === '') return null;
    const value = shape.parse(text);
    if (value !== undefined) return value;
    problems.push({ name, found: describeValue(text, secret), allowed: shape.allowed });
    return null;
  }

  /** For variables with a default: null then means a problem, and the value is never used. */
  function required<T>(variable: Variable<T>, ifWrong: T): T {
    return optional(variable) ?? ifWrong;
  }

  function path(variable: Variable<string>): string | null {
    const given = optional(variable);
    return given === null ? null : resolve(cwd, given);
  }

  const databaseUrl = optional(VARIABLES.databaseUrl);
  const config: Config = {
    nodeEnv: required(VARIABLES.nodeEnv, 'development'),
    dataDir: resolve(cwd, required(VARIABLES.dataDir, '')),
    migrationsDir: join(findPackageRoot(), 'drizzle'),
    database: { url: databaseUrl, poolSize: required(VARIABLES.databasePoolSize, 0) },
    redisUrl: optional(VARIABLES.redisUrl),
    http: { host: required(VARIABLES.httpHost, ''), port: required(VARIABLES.httpPort, 0) },
    log: { level: required(VARIABLES.logLevel, 'info'), format: required(VARIABLES.logFormat, 'auto') },
    probe: {
      concurrency: required(VARIABLES.probeConcurrency, 0),
      perHost: required(VARIABLES.probePerHost, 0),
      timeoutMs: required(VARIABLES.probeTimeoutMs, 0),
    },
    sweep: {
      intervalMs: required(VARIABLES.sweepIntervalMs, 0),
      batchSize: required(VARIABLES.sweepBatch, 0),
    },
    egress: {
      mode: optional(VARIABLES.egress) ?? (databaseUrl === null ? 'open' : 'strict'),
      allow: optional(VARIABLES.egressAllow) ?? [],
    },
    stdioAllow: optional(VARIABLES.stdioAllow) ?? (databaseUrl === null ? null : []),
    stdioMaxProcesses: required(VARIABLES.stdioMaxProcesses, 0),
    secretKeys: optional(VARIABLES.secretKey) ?? [],
    files: { policy: path(VARIABLES.policyFile), alerts: path(VARIABLES.alertsFile) },
    shutdownMs: required(VARIABLES.shutdownMs, 0),
    childEnvironment: childEnvironmentOf(env),
    warnings: warnOfUnknownNames(
      Object.keys(env),
      Object.values(VARIABLES).map(({ name }) => name),
    ),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}
