import type { Actions } from '../../../src/cli/actions.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { ProbeOutcome } from '../../../src/core/outcome.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

interface World {
  actions?: Partial<Actions>;
  environment?: Record<string, string>;
  files?: Record<string, string>;
  isTTY?: boolean;
  columns?: number;
}

/** An Actions whose methods fail unless the test gives them: a command may not call what it should not. */
function onlyThese(given: Partial<Actions>): Actions {
  return new Proxy(given, {
    get(target, name: keyof Actions) {
      return target[name] ?? (() => Promise.reject(new Error(`${name} was not expected`)));
    },
  }) as Actions;
}

/** Runs a command line in a world of its own. */
export async function run(argv: string[], world: World = {}): Promise<Ran> {
  const text = { out: '', err: '' };
  const { files = {}, isTTY = false, columns = 80 } = world;
  const output = (name: 'out' | 'err') => ({
    isTTY,
    columns,
    write: (part: string) => {
      text[name] += part;
    },
  });
  const code = await runCli({
    argv,
    version: '1.2.3',
    actions: onlyThese(world.actions ?? {}),
    now: () => Date.parse('2026-01-02T00:00:00Z'),
    io: {
      out: output('out'),
      err: output('err'),
      environment: world.environment ?? {},
      async readFile(path) {
        const content = files[path];
        if (content === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
        return content;
      },
    },
  });
  return { code, ...text };
}

export const healthy: ProbeOutcome = {
  transport: 'http',
  era: 'handshake',
  protocolVersion: '2025-11-25',
  serverInfo: { name: 'everything', version: '2.0.0' },
  capabilities: { tools: {} },
  instructions: null,
  inventory: {
    tools: [{ name: 'echo', description: 'Says it again\nand more' }, { name: 'add' }],
    resources: [{ uri: 'a:b' }],
    resourceTemplates: [],
    prompts: [],
  },
  certificate: null,
  phases: { dns: 0.204, connect: 1.1, firstByte: 4, handshake: 20.126, ping: 1, list: 10 },
  totalMs: 38.567,
  fault: null,
  warnings: [],
  canary: null,
  bytes: { sent: 700, received: 1_300 },
  footprint: { sessionsOpened: 1, sessionsClosed: 1 },
};

export const refused: ProbeOutcome = {
  ...healthy,
  era: null,
  protocolVersion: null,
  serverInfo: null,
  capabilities: null,
  inventory: null,
  phases: { dns: 0.2, connect: 0.3 },
  totalMs: 0.6,
  fault: {
    kind: 'network',
    phase: 'connect',
    code: 'ECONNREFUSED',
    message: 'connect ECONNREFUSED 127.0.0.1:1',
  },
  footprint: { sessionsOpened: 0, sessionsClosed: 0 },
};
