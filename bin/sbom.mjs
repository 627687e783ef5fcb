// `npm run sbom`: the software bill of materials (CycloneDX 1.6, JSON) of package-lock.json, on standard
// output. It needs nothing but the lockfile, and says the same each time that the lockfile does.
//
//   npm run sbom -- --check   print nothing; end with 1 when the lockfile breaks a rule: every dependency
//                             pinned exactly, every package with its checksum, from a registry, and under
//                             a licence of the list below
//   --production              without what only development needs
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

/** Licences that let the whole be given on under MIT with a notice; others need a person to look. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);
/** Packages whose manifest does not say: what the licence file of their repository says. */
const READ_BY_HAND = {
  '@modelcontextprotocol/server-everything': 'MIT OR Apache-2.0',
  '@modelcontextprotocol/server-memory': 'MIT OR Apache-2.0',
  supergateway: 'MIT',
};

/** Whether an SPDX expression of AND, OR and brackets can be kept to with permitted licences alone. */
export function isAllowed(expression) {
  const words = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const atom = () => {
    const word = words[at++];
    if (word !== '(') return ALLOWED.has(word);
    const value = either();
    at += 1;
    return value;
  };
  const both = () => {
    let value = atom();
    while (words[at] === 'AND') {
      at += 1;
      value = atom() && value;
    }
    return value;
  };
  function either() {
    let value = both();
    while (words[at] === 'OR') {
      at += 1;
      value = both() || value;
    }
    return value;
  }
  return words.length > 0 && either() && at === words.length;
}

const nameAt = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function licenceOf(path, entry, packages) {
  const name = nameAt(path);
  if (READ_BY_HAND[name]) return READ_BY_HAND[name];
  if (entry.license) return entry.license;
  const manifest = `${path}/package.json`;
  if (existsSync(new URL(manifest, root))) return readJson(manifest).license;
  // A package for another platform, which npm has never seen here, is a part of the one that asks for it.
  const whole = Object.entries(packages).find(
    ([other, { optionalDependencies }]) => other !== '' && optionalDependencies?.[name] !== undefined,
  );
  return entry.optional && whole ? licenceOf(whole[0], whole[1], packages) : undefined;
}

const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** Where Node would find `name` from the package at `path`. */
function find(packages, path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (from === '' || !from.includes('/node_modules/')) {
      return packages[`node_modules/${name}`] ? `node_modules/${name}` : undefined;
    }
  }
}

/** The bill of what a lockfile holds. */
export function makeBill(lock, { production = false } = {}) {
  const { packages } = lock;
  const paths = Object.keys(packages).filter((path) => path !== '' && !(production && packages[path].dev));
  const refOf = (path) =>
    path === '' ? purlOf(lock.name, lock.version) : `${purlOf(nameAt(path), packages[path].version)}#${path}`;
  const digest = createHash('sha256')
    .update(JSON.stringify([paths.map((path) => [path, packages[path].version, packages[path].integrity])]))
    .digest('hex');
  const serial = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `5${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${serial.join('-')}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': refOf(''),
        name: lock.name,
        version: lock.version,
        purl: purlOf(lock.name, lock.version),
        licenses: [{ license: { id: 'MIT' } }],
      },
    },
    components: paths.map((path) => {
      const entry = packages[path];
      const name = nameAt(path);
      const licence = licenceOf(path, entry, packages);
      const [algorithm, checksum] = (entry.integrity ?? '').split('-');
      return {
        type: 'library',
        'bom-ref': refOf(path),
        name,
        version: entry.version,
        purl: purlOf(name, entry.version),
        scope: entry.dev || entry.optional ? 'optional' : 'required',
        ...(licence ? { licenses: [{ expression: licence }] } : {}),
        ...(checksum
          ? {
              hashes: [
                {
                  alg: algorithm.toUpperCase().replace('SHA', 'SHA-'),
                  content: Buffer.from(checksum, 'base64').toString('hex'),
                },
              ],
            }
          : {}),
      };
    }),
    dependencies: ['', ...paths].map((path) => {
      const { dependencies, optionalDependencies, devDependencies } = packages[path];
      const names = Object.keys({
        ...dependencies,
        ...optionalDependencies,
        ...(path === '' && !production ? devDependencies : {}),
      });
      const found = names
        .map((name) => find(packages, path, name))
        .filter((place) => place !== undefined && paths.includes(place));
      return { ref: refOf(path), dependsOn: [...new Set(found.map(refOf))].sort() };
    }),
  };
}

/** What in the manifest and the lockfile breaks a rule, a line each. */
export function findProblems(manifest, lock) {
  const problems = [];
  for (const kind of ['dependencies', 'devDependencies']) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range)) problems.push(`${name} is not pinned exactly: ${range}`);
      if (lock.packages['']?.[kind]?.[name] !== range) problems.push(`${name} is not locked as ${range}`);
    }
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '') continue;
    const isAbsent = entry.optional && entry.resolved === undefined;
    if (!isAbsent && !/^sha512-/.test(entry.integrity ?? '')) problems.push(`${path} has no SHA-512`);
    if (entry.resolved !== undefined && !entry.resolved.startsWith('https://'))
      problems.push(`${path} comes from ${entry.resolved.split('://')[0]}`);
    const licence = licenceOf(path, entry, lock.packages);
    if (licence === undefined || !isAllowed(licence))
      problems.push(`${path} has the licence ${licence ?? 'of nobody knows'}`);
  }
  return problems;
}

if (process.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const lock = readJson('package-lock.json');
  if (process.argv.includes('--check')) {
    const problems = findProblems(readJson('package.json'), lock);
    for (const problem of problems) console.error(problem);
    process.exitCode = problems.length > 0 ? 1 : 0;
  } else {
    console.log(
      JSON.stringify(makeBill(lock, { production: process.argv.includes('--production') }), null, 2),
    );
  }
}
