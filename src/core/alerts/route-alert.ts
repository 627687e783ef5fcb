import type { AlertsConfig, Delivering, Grouping, RouteMatch } from './alerts-config.ts';
import type { KnownAlert } from './known-alert.ts';

/** A channel that is to be told of an alert, and together with what. */
export interface Target {
  channel: string;
  groupKey: string;
  timing: Delivering;
}

/** What routes look at. An incident has no server of its own: what holds of its members holds of it. */
interface RoutingFacts {
  alert: KnownAlert;
  tenantId: string | null;
  tags: readonly string[];
  serverIds: readonly string[];
}

function factsOf(alert: KnownAlert, members: readonly KnownAlert[]): RoutingFacts {
  const concerned = alert.server ? [alert] : members;
  const servers = concerned.flatMap(({ server }) => (server ? [server] : []));
  const tenants = new Set(concerned.map(({ tenantId }) => tenantId));
  const [shared = null] = tenants;
  return {
    alert,
    // A tenant must not be told of other tenants' servers: an incident is a tenant's when all of it is.
    tenantId: alert.tenantId ?? (tenants.size === 1 ? shared : null),
    tags: [...new Set(servers.flatMap(({ tags }) => tags))],
    serverIds: servers.map(({ id }) => id),
  };
}

function matches(match: RouteMatch, { alert, tenantId, tags, serverIds }: RoutingFacts): boolean {
  if (match.tenants && (tenantId === null || !match.tenants.includes(tenantId))) return false;
  if (match.tags && !match.tags.some((tag) => tags.includes(tag))) return false;
  if (match.severities && !match.severities.includes(alert.severity)) return false;
  if (match.kinds && !match.kinds.includes(alert.kind)) return false;
  return !match.servers || match.servers.some((id) => serverIds.includes(id));
}

/**
 * The key of what goes out together. Of the facts a group has in common only what it is grouped by, so that
 * groups of one name mean the same whatever route leads to them.
 */
function groupKeyOf(groupBy: Grouping, { alert, tenantId }: RoutingFacts): string {
  switch (groupBy) {
    case 'server':
      return alert.server ? `server:${alert.server.id}` : `alert:${alert.key}`;
    case 'tenant':
      return `tenant:${tenantId ?? ''}`;
    case 'kind':
      return `kind:${alert.kind}`;
    case 'alert':
      return `alert:${alert.key}`;
    case 'all':
      return 'all';
  }
}

/** Who is to be told of an alert: each channel once, by the first route that leads to it. */
export function targetsOf(
  alert: KnownAlert,
  members: readonly KnownAlert[],
  config: Pick<AlertsConfig, 'routes' | 'fallback'>,
): Target[] {
  const facts = factsOf(alert, members);
  const targets = new Map<string, Target>();
  const add = (timing: Delivering) => {
    for (const channel of timing.channels)
      if (!targets.has(channel))
        targets.set(channel, { channel, timing, groupKey: groupKeyOf(timing.groupBy, facts) });
  };
  let taken = false;
  for (const route of config.routes) {
    if (!matches(route.match, facts)) continue;
    taken = true;
    add(route);
    if (!route.continue) break;
  }
  if (!taken) add(config.fallback);
  return [...targets.values()];
}
