// Runs the command line from a checkout: builds what changed, then hands over to dist.
// Where no compiler is installed (production dependencies only) the build that is there serves.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = join(root, 'dist/src/main.js');
const stamp = join(root, 'dist/build.tsbuildinfo');

function newestChange(folder) {
  let newest = 0;
  for (const item of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (item.isFile())
      newest = Math.max(newest, statSync(join(item.parentPath ?? item.path, item.name)).mtimeMs);
  }
  return newest;
}

function compiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

function build() {
  const changed = Math.max(...['src', 'jobs'].map((name) => newestChange(join(root, name))));
  if (existsSync(entry) && existsSync(stamp) && statSync(stamp).mtimeMs >= changed) return;
  const tsc = compiler();
  if (!tsc) {
    if (existsSync(entry)) return;
    console.error(
      'mcp-vitals: nothing is built and no compiler is installed: run npm ci (with devDependencies) first',
    );
    process.exit(1);
  }
  if (process.stderr.isTTY || process.argv[2] === 'daemon') console.error('mcp-vitals: building …');
  // Types are checked by npm run typecheck: here somebody waits for the start.
  const { status } = spawnSync(
    process.execPath,
    [tsc, '-p', join(root, 'tsconfig.build.json'), '--noCheck'],
    {
      stdio: ['ignore', 2, 2],
    },
  );
  if (status !== 0) process.exit(1);
}

build();
process.argv[1] = entry;
await import(pathToFileURL(entry).href);
