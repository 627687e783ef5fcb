import { existsSync, readFileSync } from 'node:fs';
import { minVersion, satisfies } from 'semver';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  engines: { node: string };
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const lines = read('Dockerfile')
  .replace(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const stages = lines.join('\n').split(/^(?=FROM )/m);

describe('the Dockerfile', () => {
  test('copies only what exists and what .dockerignore lets through', () => {
    const allowed = new Set(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(new URL(path, root)), path).toBe(true);
      expect(allowed, path).toContain(path);
    }
  });

  test('runs on a Node that engines allows, the same in every stage', () => {
    const images = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(/\s+/)[1]);
    expect(new Set(images).size).toBe(1);
    const version = /^node:(\d+)-/.exec(images[0] ?? '')?.[1];
    expect(satisfies(minVersion(`${version}`)?.version ?? '', manifest.engines.node)).toBe(true);
  });

  test('ends with production dependencies, no root, and a health check on /livez', () => {
    const last = stages.at(-1) ?? '';
    expect(stages.length).toBeGreaterThan(1);
    expect(stages.find((stage) => stage.includes('AS dependencies'))).toContain('npm ci --omit=dev');
    expect(last).toContain('COPY --from=dependencies /app/node_modules');
    expect(last).toMatch(/^USER (?!root)/m);
    expect(last).toMatch(/^HEALTHCHECK .*\/livez/m);
    expect(last).toContain(`"${manifest.bin['mcp-vitals']}"`);
  });
});

test('the compose file has the worker, PostgreSQL and Valkey, each with a health check', () => {
  const { services } = parse(read('deploy/compose.yaml')) as {
    services: Record<string, { image?: string; build?: string; healthcheck?: object; depends_on?: object }>;
  };
  expect(Object.keys(services)).toEqual(['worker', 'postgres', 'valkey']);
  expect(Object.keys(services.worker?.depends_on ?? {})).toEqual(['postgres', 'valkey']);
  for (const name of ['postgres', 'valkey']) expect(services[name]?.healthcheck, name).toBeDefined();
});

test('the lockfile is whole on every platform, names no registry, and fits the Node that engines allows', () => {
  type Entry = {
    version?: string;
    resolved?: string;
    optional?: boolean;
    optionalDependencies?: Record<string, string>;
    engines?: { node?: string };
  };
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  const oldest = minVersion(manifest.engines.node)?.version ?? '';
  for (const [path, entry] of Object.entries(packages)) {
    expect(entry.resolved, path).toBeUndefined();
    if (!entry.optional)
      expect(satisfies(oldest, entry.engines?.node ?? '*'), `${path} on Node ${oldest}`).toBe(true);
    // `node bin/complete-lockfile.mjs` adds those that npm leaves out.
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const found = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      expect(found, `${path} wants ${name}`).toBeDefined();
    }
  }
});

test('dependencies are pinned exactly, and nothing needs an install script', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
  expect(read('.npmrc')).toContain('ignore-scripts=true');
});
