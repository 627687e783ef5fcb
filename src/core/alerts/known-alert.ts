import type { AlertKind, Severity } from './alert.ts';

/** An alert as whoever plans and tells sees it, with what routes ask of its server. */
export interface KnownAlert {
  id: string;
  key: string;
  kind: AlertKind;
  severity: Severity;
  /** null for what is about no single server. */
  server: { id: string; name: string; tags: readonly string[] } | null;
  tenantId: string | null;
  title: string;
  description: string | null;
  data: Record<string, unknown>;
  startedAtMs: number;
  /** null while it fires. */
  resolvedAtMs: number | null;
  /** The incident that speaks for it. */
  incidentId: string | null;
}

/** What a message says of an alert: that it began, that it is over, or that it still fires. */
export type Transition = 'fire' | 'resolve' | 'repeat';
