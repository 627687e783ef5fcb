// `npm test`: every suite on the embedded database; then the suites that touch a queue or a database
// again, on a real Redis and on another PostgreSQL, where this machine has them.
//
//   TEST_REDIS_URL=…       use this Redis instead of starting one
//   TEST_DATABASE_URL=…    use this PostgreSQL (a role that may create databases)
//   TEST_REQUIRE=redis,postgres   fail when one of them is missing, instead of saying so
//   npm test -- <filter>   only the matching files, on the embedded database
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'mcp-vitals-test-'));
const totals = { passed: 0, failed: 0 };
const notes = [];
/** Whatever was given for the other passes. */
const ON_EMBEDDED = { TEST_DATABASE_URL: '', TEST_POSTGRES_BIN: '', TEST_REDIS_URL: '' };
/** What failed, told again at the end: a run prints thousands of lines. */
const failures = [];

function findProgram(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of names) {
    const folder = folders.find((candidate) => existsSync(join(candidate, name)));
    if (folder) return join(folder, name);
  }
  return undefined;
}

/** The newest PostgreSQL beside our own: a folder with initdb and postgres. */
function findPostgresBin() {
  const installed = '/usr/lib/postgresql';
  const versions = existsSync(installed) ? readdirSync(installed).sort((a, b) => Number(b) - Number(a)) : [];
  const onPath = findProgram('postgres');
  const folders = [
    ...versions.map((version) => join(installed, version, 'bin')),
    ...(onPath ? [dirname(onPath)] : []),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Another PostgreSQL than the embedded one: the one that is given, or the newest that is installed. */
function findPostgres() {
  const { TEST_DATABASE_URL } = process.env;
  if (TEST_DATABASE_URL) return { title: 'PostgreSQL at TEST_DATABASE_URL', env: { TEST_DATABASE_URL } };
  const folder = findPostgresBin();
  return folder && { title: `PostgreSQL in ${folder}`, env: { TEST_POSTGRES_BIN: folder } };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startRedis() {
  if (process.env.TEST_REDIS_URL) return { url: process.env.TEST_REDIS_URL, stop: async () => undefined };
  const program = findProgram('redis-server', 'valkey-server');
  if (!program) return undefined;
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    scratch,
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
    child.stdout.on('data', (text) => String(text).includes('eady to accept connections') && resolve());
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** One vitest run; its counts are added to the totals. */
function runSuites(title, projects, env, filters = []) {
  console.log(`\n── ${title}`);
  const report = join(scratch, `report-${Math.random().toString(36).slice(2)}.json`);
  const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
  const args = [vitest, 'run', ...projects.flatMap((name) => ['--project', name])];
  args.push('--reporter=default', '--reporter=json', `--outputFile=${report}`, ...filters);
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const counts = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  totals.passed += counts.numPassedTests;
  totals.failed += counts.numFailedTests;
  failures.push(...counts.testResults.flatMap((file) => failuresOf(title, file)));
  // A file that does not even load has no failed test in it, and a run without a test proves nothing.
  if (counts.numFailedTests === 0 && (status !== 0 || counts.numPassedTests === 0)) {
    totals.failed += 1;
    if (!failures.some((line) => line.startsWith(title)))
      failures.push(`${title}: ended with ${status}, ${counts.numPassedTests} tests passed`);
  }
}

/** A line for each failed test of one file of the report, or for a file that did not load. */
function failuresOf(title, file) {
  const name = relative(root, file.name);
  const failed = file.assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0 && file.status === 'failed')
    return [`${title}: ${name}: ${firstLine(file.message)}`];
  return failed.map(
    (test) => `${title}: ${name}: ${test.fullName}: ${firstLine(test.failureMessages.join('\n'))}`,
  );
}

const firstLine = (text = '') => text.split('\n', 1)[0].slice(0, 300);

function missing(what, how) {
  if ((process.env.TEST_REQUIRE ?? '').split(',').includes(what)) {
    totals.failed += 1;
    notes.push(`${what} is required here and was not found: ${how}`);
  } else {
    notes.push(`not run: the suites on ${what}, because none was found: ${how}`);
  }
}

async function main() {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
  const filters = process.argv.slice(2);
  const everything = ['unit', 'contract', 'standalone', 'integration', 'scale', 'acceptance'];
  runSuites('embedded PostgreSQL', everything, ON_EMBEDDED, filters);
  if (filters.length > 0) return;

  const redis = await startRedis();
  if (!redis) missing('redis', 'install redis-server or valkey-server, or set TEST_REDIS_URL');
  const postgres = findPostgres();
  if (!postgres) missing('postgres', 'install postgresql, or set TEST_DATABASE_URL');
  const title = [postgres?.title, redis && 'Redis'].filter(Boolean).join(' and ');
  const env = { ...ON_EMBEDDED, ...postgres?.env, ...(redis && { TEST_REDIS_URL: redis.url }) };
  try {
    // One pass for both where both are here: what a suite says of a database does not depend on the queue.
    if (title) runSuites(title, ['integration'], env);
    if (!redis || !postgres) return;
    runSuites(title, ['acceptance'], env, ['demo', 'db-commands']);
    const queueInIt = { ...ON_EMBEDDED, ...postgres.env };
    runSuites(`${postgres.title} with the queue in it`, ['integration'], queueInIt, ['integration/daemon']);
  } finally {
    await redis?.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(error);
  totals.failed += 1;
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
}
if (failures.length > 0) console.log(`\n── failed\n${failures.join('\n')}`);
for (const note of notes) console.log(note);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 ? 1 : 0;
