// The product: what a probe job of the daemon does, without the database.
import { createProber } from '../../src/mcp/prober.ts';
import { targetOfServer } from '../../src/mcp/target.ts';
import { serveRounds } from './rounds.ts';

const prober = createProber({ clientInfo: { name: 'bench', version: '1.0.0' } });

serveRounds(async (port) => {
  const row = {
    id: String(port),
    name: 'bench',
    endpointUrl: `http://127.0.0.1:${port}/mcp`,
    transportType: 'http',
    authType: 'none',
    authConfig: null,
    settings: {},
  };
  const target = targetOfServer(row, { timeoutMs: 30_000 });
  if ('kind' in target) throw new Error(target.message);
  const outcome = await prober.probe(target);
  if (outcome.fault || outcome.inventory?.tools.length !== 10) throw new Error(JSON.stringify(outcome));
});
