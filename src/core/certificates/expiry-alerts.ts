import { type AlertChange, alertKey } from '../alerts/alert.ts';
import { cleanText } from '../inventory.ts';
import type { ServerCertificate } from '../outcome.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** How many days ahead each warning comes. */
export const EXPIRY_WARNING_DAYS = [21, 7] as const;

/** A server that showed a certificate, and when the one that it showed before expires; null: none before. */
export interface SeenCertificate {
  serverId: string;
  name: string;
  tenantId: string | null;
  certificate: ServerCertificate;
  previousExpiryMs: number | null;
}

/** Whole days from now until then; negative once it is over. */
export const daysUntil = (thenMs: number, nowMs: number): number => Math.floor((thenMs - nowMs) / DAY_MS);

/**
 * A warning for each mark that has been passed, and its end once a certificate is shown that is good for
 * longer. A server far from its marks changes nothing.
 */
export function expiryAlerts(seen: SeenCertificate, nowMs: number): AlertChange[] {
  const { serverId, name, tenantId, certificate, previousExpiryMs } = seen;
  const { validToMs } = certificate;
  if (validToMs === null) return [];
  return EXPIRY_WARNING_DAYS.flatMap((days): AlertChange[] => {
    const key = alertKey('certificate_expiring', serverId, `${days}d`);
    const marked = (thenMs: number) => thenMs - nowMs <= days * DAY_MS;
    if (!marked(validToMs)) {
      const fired = previousExpiryMs !== null && marked(previousExpiryMs);
      return fired ? [{ action: 'resolve', key, atMs: nowMs }] : [];
    }
    const left = daysUntil(validToMs, nowMs);
    const day = new Date(validToMs).toISOString().slice(0, 10);
    return [
      {
        action: 'fire',
        kind: 'certificate_expiring',
        key,
        severity: 'warning',
        serverId,
        tenantId,
        title: `${cleanText(name)}: its certificate ${left < 0 ? 'expired' : 'expires'} on ${day}`,
        description: `Renew the certificate before ${day}, and see that the server uses the new one.`,
        data: {
          daysLeft: left,
          expiresAt: new Date(validToMs).toISOString(),
          issuer: certificate.issuer,
          subject: certificate.subject,
        },
        atMs: nowMs,
      },
    ];
  });
}
