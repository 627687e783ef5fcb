import { Gauge, type Registry } from 'prom-client';

/** mcp_vitals_build_info: which version answers. */
export function registerBuildInfo(registry: Registry, version: string): void {
  new Gauge({
    name: 'mcp_vitals_build_info',
    help: 'The version of mcp-vitals, as a label; the value is always 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
}
