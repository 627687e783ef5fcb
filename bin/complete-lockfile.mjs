// Adds to package-lock.json the optional platform packages that npm left out because the registry in
// use does not carry them. Without them `npm ci` calls the lockfile incomplete, on every platform. They
// are never fetched where os and cpu do not fit; elsewhere npm takes them from the registry it has.
// Run it after `npm install`; a test says when it was forgotten.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32'];
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

/** Where Node would find `name` from the package at `path`. */
function isLocked(path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`]) return true;
    if (from === '' || !from.includes('/node_modules/')) return Boolean(packages[`node_modules/${name}`]);
  }
}

function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const os = OS.filter((known) => words.includes(known));
  const cpu = CPU.filter((known) => words.includes(known));
  const libc = os.includes('linux') ? words.flatMap((word) => LIBC[word] ?? []) : [];
  return { os, cpu, ...(libc.length > 0 ? { libc } : {}) };
}

let added = 0;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (path === '' || isLocked(path, name)) continue;
    const { os, cpu, libc } = platformOf(name);
    const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version);
    if (!exact || os.length === 0)
      throw new Error(`${path} wants ${name}@${version}: not a platform package`);
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added to package-lock.json`);
