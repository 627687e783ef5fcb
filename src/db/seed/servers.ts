import type {
  mcpPrompt,
  mcpResource,
  mcpServer,
  mcpServerDependency,
  mcpServerHealthCheck,
  mcpTool,
} from '../schema/index.ts';
import { type Clock, createDice, uuidOf } from './deterministic.ts';
import { tenantId, userId } from './people.ts';

type NewServer = typeof mcpServer.$inferInsert;
interface Kind {
  slug: string;
  name: string;
  transport: NewServer['transportType'];
  endpoint: string;
  tenant: string | null;
  owner: string;
  category: string;
  tools: string[];
  /** Share of checks that fail. */
  trouble: number;
  auth?: Pick<NewServer, 'authType' | 'authConfig'>;
}

// Only reserved names, which resolve nowhere: probing a seeded fleet troubles nobody.
const KINDS: Kind[] = [
  {
    slug: 'everything',
    name: 'Everything',
    transport: 'stdio',
    endpoint: 'npx -y @modelcontextprotocol/server-everything stdio',
    tenant: 'northwind',
    owner: 'tomasz',
    category: 'reference',
    tools: ['echo', 'add', 'longRunningOperation'],
    trouble: 0.01,
  },
  {
    slug: 'memory',
    name: 'Knowledge graph',
    transport: 'stdio',
    endpoint: 'npx -y @modelcontextprotocol/server-memory',
    tenant: 'northwind',
    owner: 'tomasz',
    category: 'memory',
    tools: ['create_entities', 'read_graph', 'search_nodes'],
    trouble: 0,
  },
  {
    slug: 'papers',
    name: 'Paper search',
    transport: 'http',
    endpoint: 'https://papers.northwind.example/mcp',
    tenant: 'northwind',
    owner: 'tomasz',
    category: 'search',
    tools: ['search_papers', 'get_paper', 'cite'],
    trouble: 0.03,
    auth: { authType: 'bearer', authConfig: { bearerToken: 'seed-token-papers' } },
  },
  {
    slug: 'warehouse',
    name: 'Data warehouse',
    transport: 'http',
    endpoint: 'https://warehouse.harbour.example/mcp',
    tenant: 'harbour',
    owner: 'aiko',
    category: 'data',
    tools: ['run_query', 'list_tables', 'describe_table', 'explain'],
    trouble: 0.02,
    auth: {
      authType: 'oauth',
      authConfig: { oauth: { clientId: 'seed-client', clientSecret: 'seed-secret', scope: 'mcp:read' } },
    },
  },
  {
    slug: 'tickets',
    name: 'Ticket desk',
    transport: 'sse',
    endpoint: 'https://tickets.harbour.example/sse',
    tenant: 'harbour',
    owner: 'aiko',
    category: 'productivity',
    tools: ['create_ticket', 'close_ticket', 'find_tickets'],
    trouble: 0.08,
    auth: { authType: 'api_key', authConfig: { apiKey: 'seed-key-tickets' } },
  },
  {
    slug: 'whiteboard',
    name: 'Whiteboard',
    transport: 'websocket',
    endpoint: 'wss://board.harbour.example/mcp',
    tenant: 'harbour',
    owner: 'aiko',
    category: 'productivity',
    tools: ['draw', 'erase'],
    trouble: 0.05,
  },
  {
    slug: 'orders',
    name: 'Shop orders',
    transport: 'http',
    endpoint: 'https://orders.tinyshop.example/mcp',
    tenant: 'tinyshop',
    owner: 'luca',
    category: 'commerce',
    tools: ['list_orders', 'refund'],
    trouble: 0.3,
    auth: { authType: 'custom', authConfig: { custom: { headers: { 'X-Shop': 'seed-shop' } } } },
  },
  {
    slug: 'legacy',
    name: 'Legacy bridge',
    transport: 'sse',
    endpoint: 'http://legacy.mothballed.example/sse',
    tenant: 'mothballed',
    owner: 'oskar',
    category: 'other',
    tools: ['translate'],
    trouble: 1,
  },
  {
    slug: 'weather',
    name: 'Public weather',
    transport: 'http',
    endpoint: 'https://weather.registry.example/mcp',
    tenant: null,
    owner: 'root',
    category: 'reference',
    tools: ['forecast', 'alerts'],
    trouble: 0.01,
  },
];

const CHECK_DAYS = 7;
const CHECK_MINUTES = 30;

export const serverId = (slug: string): string => `seed-${slug}`;
export const SEEDED_SERVERS = KINDS.map(({ slug, tenant }) => ({ id: serverId(slug), tenant }));

/** Nine servers of every transport and kind of credentials, what they offer, and a week of their checks. */
export function seedServers(clock: Clock) {
  const checks = KINDS.flatMap((kind) => seedChecks(clock, kind));
  return {
    servers: KINDS.map((kind, place) => seedServer(clock, kind, place)),
    ...seedInventory(clock),
    dependencies: seedDependencies(),
    checks,
  };
}

function seedServer(clock: Clock, kind: Kind, place: number): NewServer {
  const dice = createDice(`server ${kind.slug}`);
  const down = kind.trouble >= 0.3;
  const requests = dice.between(200, 40_000);
  return {
    id: serverId(kind.slug),
    name: kind.name,
    description: `${kind.name}, for development`,
    version: `1.${place}.0`,
    endpointUrl: kind.endpoint,
    transportType: kind.transport,
    ...(kind.auth ?? { authType: 'none' }),
    status: down ? 'error' : 'active',
    healthStatus: down ? 'unhealthy' : 'healthy',
    lastHealthCheck: clock.now,
    healthCheckInterval: dice.pick([60, 120, 300]),
    capabilities: { tools: { listChanged: true }, prompts: {}, resources: { subscribe: false } },
    tags: [kind.category, kind.transport],
    category: kind.category,
    tenantId: kind.tenant === null ? null : tenantId(kind.tenant),
    ownerId: userId(kind.owner),
    isPublic: kind.tenant === null,
    requestCount: requests,
    errorCount: Math.round(requests * kind.trouble),
    avgResponseTime: dice.between(20, 400).toFixed(3),
    uptime: (100 * (1 - kind.trouble)).toFixed(2),
    settings: { timeout: 10_000, retryPolicy: { maxRetries: 2, backoffMs: 500, exponential: true } },
    createdAt: clock.daysAgo(120 - place * 10),
    updatedAt: clock.daysAgo(place),
    lastUsedAt: clock.daysAgo(place / 4),
  };
}

function seedInventory(clock: Clock) {
  const dice = createDice('inventory');
  const made = { createdAt: clock.daysAgo(60), updatedAt: clock.daysAgo(3) };
  const tools: (typeof mcpTool.$inferInsert)[] = KINDS.flatMap(({ slug, category, tools: names }) =>
    names.map((name) => ({
      id: uuidOf(`tool ${slug} ${name}`),
      serverId: serverId(slug),
      name,
      description: `${name.replaceAll('_', ' ')}, on demand`,
      inputSchema: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
      tags: [category],
      category,
      callCount: dice.between(0, 5_000),
      avgExecutionTime: dice.between(5, 900).toFixed(3),
      ...made,
    })),
  );
  const resources: (typeof mcpResource.$inferInsert)[] = KINDS.map(({ slug }) => ({
    id: uuidOf(`resource ${slug}`),
    serverId: serverId(slug),
    uri: `${slug}://readme`,
    name: 'readme',
    description: 'How to use this server',
    mimeType: 'text/markdown',
    size: dice.between(400, 9_000),
    annotations: { audience: ['user', 'assistant'], priority: 0.5 },
    accessCount: dice.between(0, 300),
    ...made,
  }));
  const prompts: (typeof mcpPrompt.$inferInsert)[] = KINDS.filter(({ trouble }) => trouble < 0.3).map(
    ({ slug }) => ({
      id: uuidOf(`prompt ${slug}`),
      serverId: serverId(slug),
      name: 'summarise',
      description: 'Summarise what was found',
      template: 'Summarise {{topic}} in three sentences.',
      arguments: [{ name: 'topic', description: 'What to summarise', required: true }],
      tags: ['writing'],
      useCount: dice.between(0, 200),
      ...made,
    }),
  );
  return { tools, resources, prompts };
}

function seedDependencies(): (typeof mcpServerDependency.$inferInsert)[] {
  const edges = [
    ['tickets', 'warehouse', 'required'],
    ['papers', 'memory', 'optional'],
    ['orders', 'weather', 'fallback'],
  ] as const;
  return edges.map(([from, to, dependencyType]) => ({
    id: uuidOf(`dependency ${from} ${to}`),
    serverId: serverId(from),
    dependsOnServerId: serverId(to),
    dependencyType,
  }));
}

function seedChecks(clock: Clock, { slug, trouble }: Kind): (typeof mcpServerHealthCheck.$inferInsert)[] {
  const dice = createDice(`checks ${slug}`);
  return Array.from({ length: (CHECK_DAYS * 24 * 60) / CHECK_MINUTES }, (_, slot) => {
    const failed = dice.chance(trouble);
    const status = failed ? dice.pick(['unhealthy', 'timeout', 'error'] as const) : ('healthy' as const);
    const responseTime = status === 'healthy' ? dice.between(15, 450) : status === 'timeout' ? 10_000 : null;
    return {
      id: uuidOf(`check ${slug} ${slot}`),
      serverId: serverId(slug),
      status,
      responseTime,
      errorMessage: failed ? 'the server did not answer as it should' : null,
      metrics: { custom: { era: 'handshake', protocolVersion: '2025-11-25' } },
      checkedAt: clock.daysAgo(0, (slot * CHECK_MINUTES) / 60),
    };
  });
}
