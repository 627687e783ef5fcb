// Many MCP servers in one process, each on a port of its own: as little work for each answer as can be.
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

const tools = Array.from({ length: 10 }, (_, index) => ({
  name: `tool-${index}`,
  description: `Does thing number ${index}, with a description of believable length.`,
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', description: 'What to look for' }, limit: { type: 'number' } },
    required: ['query'],
  },
}));
const TOOLS = JSON.stringify({ tools });
const INITIALIZED = JSON.stringify({
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'bench-target', version: '1.0.0' },
});
const sessions = new Set<string>();
let lastSession = 0;

const http = createServer((request, response) => {
  if (request.method === 'DELETE') {
    sessions.delete(String(request.headers['mcp-session-id']));
    response.writeHead(200, { 'content-length': 0 }).end();
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => answer(JSON.parse(body) as { id?: number; method: string }, response));
});

function answer({ id, method }: { id?: number; method: string }, response: ServerResponse): void {
  if (id === undefined) {
    response.writeHead(202, { 'content-length': 0 }).end();
    return;
  }
  const result = method === 'initialize' ? INITIALIZED : method === 'tools/list' ? TOOLS : '{}';
  const text = `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  if (method === 'initialize') {
    lastSession += 1;
    const session = `session-${lastSession}`;
    sessions.add(session);
    headers['mcp-session-id'] = session;
  }
  response.writeHead(200, headers).end(text);
}

async function listen(origins: number): Promise<number[]> {
  const open = () =>
    new Promise<number>((resolve, reject) => {
      const origin = createTcpServer((socket: Socket) => http.emit('connection', socket));
      origin.once('error', reject);
      origin.listen(0, '127.0.0.1', () => resolve((origin.address() as AddressInfo).port));
    });
  return Promise.all(Array.from({ length: origins }, open));
}

process.once('disconnect', () => process.exit());
process.on('message', (message: { origins?: number }) => {
  if (message.origins === undefined) process.send?.({ sessions: sessions.size });
  else void listen(message.origins).then((ports) => process.send?.(ports));
});
