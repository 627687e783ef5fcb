import type { Registry } from 'prom-client';
import { FleetGauge } from './fleet-gauge.ts';
import { toLabelValue } from './label-value.ts';

export interface CertificateExpiry {
  serverId: string;
  name: string;
  expiresMs: number;
}

/** mcp_server_certificate_expiry_timestamp_seconds: when the certificate that a server showed last expires. */
export function createCertificateExpiry(registry: Registry): (rows: readonly CertificateExpiry[]) => void {
  const gauge = new FleetGauge(
    registry,
    'mcp_server_certificate_expiry_timestamp_seconds',
    'When the certificate that the server showed last expires, in seconds since 1970.',
    ['server_id', 'server'],
  );
  return (rows) =>
    gauge.replace(
      rows.map(({ serverId, name, expiresMs }) => ({
        labels: { server_id: toLabelValue(serverId), server: toLabelValue(name) },
        value: expiresMs / 1000,
      })),
    );
}
