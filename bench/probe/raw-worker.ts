// The floor: the five requests of a probe with node:http alone, an agent for each probe.
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { serveRounds } from './rounds.ts';

interface Reply {
  sessionId: string | undefined;
  text: string;
}

function send(
  agent: Agent,
  port: number,
  method: string,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, host: '127.0.0.1', port, path: '/mcp', method, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const sessionId = response.headers['mcp-session-id'];
          resolve({
            sessionId: typeof sessionId === 'string' ? sessionId : undefined,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function probe(port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const headers: OutgoingHttpHeaders = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  };
  const post = (message: object) =>
    send(agent, port, 'POST', headers, JSON.stringify({ jsonrpc: '2.0', ...message }));
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1.0.0' },
  };
  const greeting = await post({ id: 0, method: 'initialize', params });
  if (greeting.sessionId !== undefined) headers['mcp-session-id'] = greeting.sessionId;
  headers['mcp-protocol-version'] = (
    JSON.parse(greeting.text) as { result: { protocolVersion: string } }
  ).result.protocolVersion;
  await post({ method: 'notifications/initialized' });
  JSON.parse((await post({ id: 1, method: 'ping' })).text);
  const listed = JSON.parse((await post({ id: 2, method: 'tools/list', params: {} })).text) as {
    result: { tools: unknown[] };
  };
  if (listed.result.tools.length !== 10) throw new Error('the target lists something else');
  await send(agent, port, 'DELETE', headers);
  agent.destroy();
}

serveRounds(probe);
