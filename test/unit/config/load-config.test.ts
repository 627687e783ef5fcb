import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { findPackageRoot, readPackageVersion } from '../../../src/config/package-root.ts';

function problemsOf(env: NodeJS.ProcessEnv) {
  try {
    loadConfig(env, '/srv');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('nothing set: the defaults', () => {
  expect(loadConfig({}, '/srv/app')).toEqual({
    nodeEnv: 'development',
    dataDir: '/srv/app/.mcp-vitals',
    migrationsDir: join(findPackageRoot(), 'drizzle'),
    database: { url: null, poolSize: 20 },
    redisUrl: null,
    http: { host: '127.0.0.1', port: 9464 },
    log: { level: 'info', format: 'auto' },
    probe: { concurrency: 64, perHost: 4, timeoutMs: 10_000 },
    sweep: { intervalMs: 1000, batchSize: 500 },
    egress: { mode: 'open', allow: [] },
    stdioAllow: null,
    stdioMaxProcesses: 100,
    secretKeys: [],
    files: { policy: null, alerts: null },
    shutdownMs: 15_000,
    warnings: [],
    childEnvironment: {},
  });
});

test('everything set', () => {
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://u:p%40ss@db.internal:5432/gateway?sslmode=require',
    DATABASE_POOL_SIZE: '5',
    REDIS_URL: 'rediss://:secret@redis:6380/2',
    VITALS_DATA_DIR: '/var/lib/vitals',
    VITALS_HTTP_HOST: '::',
    VITALS_HTTP_PORT: '0',
    VITALS_LOG_LEVEL: 'debug',
    VITALS_LOG_FORMAT: 'json',
    VITALS_PROBE_CONCURRENCY: '256',
    VITALS_PROBE_PER_HOST: '8',
    VITALS_PROBE_TIMEOUT_MS: '5000',
    VITALS_SWEEP_INTERVAL_MS: '250',
    VITALS_SWEEP_BATCH: '1000',
    VITALS_EGRESS: 'open',
    VITALS_EGRESS_ALLOW: '10.0.0.0/8, fd00::/8 ,Internal.example.com.,192.0.2.7',
    VITALS_SHUTDOWN_MS: '3000',
  };
  expect(loadConfig(env, '/srv')).toMatchObject({
    nodeEnv: 'production',
    dataDir: '/var/lib/vitals',
    database: { url: env.DATABASE_URL, poolSize: 5 },
    redisUrl: env.REDIS_URL,
    http: { host: '::', port: 0 },
    log: { level: 'debug', format: 'json' },
    probe: { concurrency: 256, perHost: 8, timeoutMs: 5000 },
    sweep: { intervalMs: 250, batchSize: 1000 },
    egress: {
      mode: 'open',
      allow: ['10.0.0.0/8', 'fd00::/8', 'internal.example.com', '192.0.2.7'],
    },
    shutdownMs: 3000,
  });
});

test('egress is strict as soon as there is a gateway’s database, unless it is set', () => {
  const url = 'postgresql://localhost/gateway';
  expect(loadConfig({ DATABASE_URL: url }, '/').egress.mode).toBe('strict');
  expect(loadConfig({ DATABASE_URL: url, VITALS_EGRESS: 'open' }, '/').egress.mode).toBe('open');
  expect(loadConfig({ VITALS_EGRESS: 'strict' }, '/').egress.mode).toBe('strict');
});

test('an empty or blank string counts as unset', () => {
  const blank = { DATABASE_URL: '', VITALS_HTTP_PORT: '  ', NODE_ENV: '' };
  expect(loadConfig(blank, '/')).toEqual(loadConfig({}, '/'));
});

test('every problem is reported at once, with what is allowed', () => {
  const problems = problemsOf({
    NODE_ENV: 'staging',
    VITALS_HTTP_PORT: '70000',
    VITALS_LOG_LEVEL: 'loud',
    VITALS_PROBE_TIMEOUT_MS: '10s',
    VITALS_EGRESS_ALLOW: '10.0.0.0/33',
    VITALS_SWEEP_BATCH: '0',
  });
  expect(problems).toHaveLength(6);
  expect(problems).toEqual(
    expect.arrayContaining([
      { name: 'NODE_ENV', found: '"staging"', allowed: 'development, test or production' },
      { name: 'VITALS_HTTP_PORT', found: '"70000"', allowed: 'a whole number from 0 to 65535' },
      { name: 'VITALS_LOG_LEVEL', found: '"loud"', allowed: expect.stringContaining('debug') },
      { name: 'VITALS_PROBE_TIMEOUT_MS', found: '"10s"', allowed: expect.stringContaining('whole') },
      { name: 'VITALS_SWEEP_BATCH', found: '"0"', allowed: expect.stringContaining('from 1') },
      { name: 'VITALS_EGRESS_ALLOW', found: '"10.0.0.0/33"', allowed: expect.stringContaining('networks') },
    ]),
  );
});

test('a secret is never shown, wherever it was put', () => {
  const secret = 'mysql://root:hunter2!@db/x';
  const problems = problemsOf({
    DATABASE_URL: secret,
    REDIS_URL: 'hunter2!hunter2!',
    VITALS_HTTP_HOST: secret,
    VITALS_LOG_FORMAT: 'x'.repeat(100),
  });
  expect(problems).toHaveLength(4);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
  expect(problems.find(({ name }) => name === 'DATABASE_URL')?.found).toBe('a string of 26 characters');
  expect(problems.find(({ name }) => name === 'VITALS_LOG_FORMAT')?.found).toContain('… (a string of 100');
});

test.each([
  ['postgres://h1:1,h2:2/db', true],
  ['postgres:///db?host=/var/run/postgresql', true],
  ['postgresql://u:p@[::1]:5432/db', true],
  ['postgres://localhost/db?sslmode=sometimes', false],
  ['postgres://localhost:port/db', false],
  ['localhost:5432', false],
])('DATABASE_URL=%s is allowed: %s', (url, allowed) => {
  expect(problemsOf({ DATABASE_URL: url })).toHaveLength(allowed ? 0 : 1);
});

test.each([
  ['redis://127.0.0.1:6379', true],
  ['redis://', false],
  ['http://127.0.0.1:6379', false],
])('REDIS_URL=%s is allowed: %s', (url, allowed) => {
  expect(problemsOf({ REDIS_URL: url })).toHaveLength(allowed ? 0 : 1);
});

test.each([
  ['999.0.0.1', false],
  ['127.0.0.1:80', false],
  ['bad host', false],
  ['0.0.0.0', true],
])('VITALS_HTTP_HOST=%s is allowed: %s', (host, allowed) => {
  expect(problemsOf({ VITALS_HTTP_HOST: host })).toHaveLength(allowed ? 0 : 1);
});

test('a name that nothing reads is a warning with what was probably meant', () => {
  const { warnings } = loadConfig(
    { VITALS_HTP_PORT: '1', VITALS_LOGLEVEL: 'info', VITALS_ENTIRELY_ELSE: '1', OTHER: '1' },
    '/',
  );
  expect(warnings).toEqual([
    'VITALS_ENTIRELY_ELSE is not a variable of mcp-vitals',
    'VITALS_HTP_PORT is not a variable of mcp-vitals: did you mean VITALS_HTTP_PORT?',
    'VITALS_LOGLEVEL is not a variable of mcp-vitals: did you mean VITALS_LOG_LEVEL?',
  ]);
});

test('the message of the error names every problem on a line of its own', () => {
  expect(() => loadConfig({ VITALS_HTTP_PORT: 'x', NODE_ENV: 'y' }, '/')).toThrow(
    /2 problems:\n {2}NODE_ENV is "y"; allowed: .*\n {2}VITALS_HTTP_PORT is "x"; allowed: /,
  );
});

test('the version is that of package.json', () => {
  expect(readPackageVersion()).toMatch(/^\d+\.\d+\.\d+/);
});
