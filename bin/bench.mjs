// `npm run bench -- <name> [options]`: builds, and runs bench/<name>.ts.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...args] = process.argv.slice(2);
if (!name || !existsSync(join(root, `bench/${name}.ts`))) {
  const names = readdirSync(join(root, 'bench')).filter((file) => file.endsWith('.ts'));
  console.error(
    `usage: npm run bench -- <name>, where name is one of ${names.map((file) => file.slice(0, -3)).join(', ')}`,
  );
  process.exit(2);
}
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.bench.json')], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);
const { run } = await import(pathToFileURL(join(root, `dist-bench/bench/${name}.js`)).href);
await run(args);
