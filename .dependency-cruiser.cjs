// One direction of imports: core <- adapters <- jobs <- http, web <- daemon <- main, cli.
const adapters = ['config', 'mcp', 'db', 'queue', 'notify', 'metrics', 'logging'];
const pureLibraries = ['jsonpath-rfc9535', 'tldts', 'zod'];
const above = (names) => `^src/(${names.join('|')})(/|\\.ts)`;

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'core-is-pure',
      comment: 'core imports core, of Node only what does no I/O, and libraries that only compute',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: ['^src/core/', '^(node:)?(crypto|url|util)$', `node_modules/(${pureLibraries.join('|')})/`] },
    },
    {
      name: 'adapters-stand-alone',
      comment: 'an adapter imports itself and core; what it needs of another arrives as an argument',
      severity: 'error',
      from: { path: `^src/(${adapters.join('|')})/` },
      to: { path: ['^src/', '^jobs/'], pathNot: ['^src/core/', '^src/$1/'] },
    },
    {
      name: 'jobs-below-the-daemon',
      severity: 'error',
      from: { path: '^jobs/' },
      to: { path: above(['http', 'web', 'daemon', 'actions', 'main', 'cli', 'demo']) },
    },
    {
      name: 'http-below-the-daemon',
      severity: 'error',
      from: { path: '^src/(http|web)/' },
      to: { path: above(['daemon', 'actions', 'main', 'cli', 'demo']) },
    },
    {
      name: 'daemon-below-the-commands',
      severity: 'error',
      from: { path: '^src/daemon/' },
      to: { path: above(['main', 'cli', 'actions']) },
    },
    {
      name: 'commands-only-parse-and-print',
      comment: 'src/cli reaches the product through its interface of actions',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^(src/|jobs/)', pathNot: '^src/(cli|core|config|logging)/' },
    },
    {
      name: 'only-mcp-knows-the-sdk',
      severity: 'error',
      from: { path: '^(src|jobs)/', pathNot: '^src/(mcp|demo)/' },
      to: { path: 'node_modules/@modelcontextprotocol/' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(src|jobs)/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
