import { Gauge, type Registry } from 'prom-client';

/** mcp_credentials: how the credentials of registered servers are kept. */
export function createCredentials(registry: Registry): (counts: { sealed: number; plain: number }) => void {
  const gauge = new Gauge({
    name: 'mcp_credentials',
    help: 'Registered servers that have credentials, by how these are kept: sealed or plain.',
    labelNames: ['kept'],
    registers: [registry],
  });
  return ({ sealed, plain }) => {
    gauge.set({ kept: 'sealed' }, sealed);
    gauge.set({ kept: 'plain' }, plain);
  };
}
