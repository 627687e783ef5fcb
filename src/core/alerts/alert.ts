/**
 * An alert is something that is wrong for a while: it fires once, holds, and is resolved once. Whoever
 * decides states says which alerts change with them; who is told, how and when is decided elsewhere.
 */

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ALERT_KINDS = [
  /** Confirmed down. */
  'server_down',
  /** Confirmed: it wants credentials that we lack. */
  'server_unauthenticated',
  /** Confirmed: it answers, and something about it is not well. */
  'server_degraded',
  /** Its state changes so often that each change would be noise. */
  'server_flapping',
  /** The error budget is used up much faster than the objective allows. */
  'slo_burn',
  /** Servers that share something failed together. */
  'incident',
  'monitor_offline',
  'drift_breaking',
  'drift_suspicious',
  /** A pinned inventory is not what the server offers now. */
  'pin_broken',
  /** The certificate that it shows will soon be over. */
  'certificate_expiring',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** One alert's beginning or end, to be stored in the transaction that found it out. */
export type AlertChange =
  | {
      action: 'fire';
      kind: AlertKind;
      /** What it is about: one alert of a key fires at a time. See `alertKey`. */
      key: string;
      severity: Severity;
      /** null for what is about no single server. */
      serverId: string | null;
      tenantId: string | null;
      /** One line, without secrets. */
      title: string;
      /** What happened and what to do, without secrets. */
      description: string | null;
      data: Record<string, unknown>;
      atMs: number;
    }
  | { action: 'resolve'; key: string; atMs: number; data?: Record<string, unknown> };

/** The same thing wrong with the same server has the same key, whoever finds it. */
export function alertKey(kind: AlertKind, subject: string, detail = ''): string {
  return detail === '' ? `${kind}:${subject}` : `${kind}:${subject}:${detail}`;
}
