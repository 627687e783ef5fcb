import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The programs of the demo fleet; devDependencies, so that they may not be installed. */
const PROGRAMS = {
  everything: '@modelcontextprotocol/server-everything/dist/index.js',
  memory: '@modelcontextprotocol/server-memory/dist/index.js',
  supergateway: 'supergateway/dist/index.js',
} as const;
const LIBRARIES = ['@modelcontextprotocol/server'] as const;

export type DemoPrograms = Record<keyof typeof PROGRAMS, string>;

function isInstalled(specifier: string): boolean {
  try {
    require.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

const packageOf = (specifier: string) => specifier.split('/dist/')[0] ?? specifier;

/** The scripts to start, or the names of the packages that are not installed. */
export function findPackages(): { programs: DemoPrograms } | { missing: string[] } {
  const missing = [...Object.values(PROGRAMS), ...LIBRARIES].filter((name) => !isInstalled(name));
  if (missing.length > 0) return { missing: missing.map(packageOf) };
  const { everything, memory, supergateway } = PROGRAMS;
  return {
    programs: {
      everything: require.resolve(everything),
      memory: require.resolve(memory),
      supergateway: require.resolve(supergateway),
    },
  };
}
