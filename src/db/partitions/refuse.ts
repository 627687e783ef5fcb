import type { PartitionedTable } from './partitioned-tables.ts';
import type { LiveTable } from './read-live-table.ts';

const list = (names: string[]): string => names.join(', ');

/** Why a table cannot become a partitioned one without something being lost, in sentences; empty when it can. */
export function reasonsToRefuse({ table, time }: PartitionedTable, live: LiveTable): string[] {
  const reasons: string[] = [];
  const key = live.primaryKey?.columns ?? [];
  if (key.join() !== 'id' && key.join() !== `id,${time}`)
    reasons.push(`its primary key is (${list(key)}), and not (id)`);
  if (live.timeType !== 'timestamp with time zone')
    reasons.push(`${time} is ${live.timeType}, and not timestamptz`);
  if (live.isTimeNullable) reasons.push(`${time} may be null`);
  if (live.identityColumns.length > 0)
    reasons.push(`partitions cannot have identity columns (${list(live.identityColumns)})`);
  const uniques = [...live.uniques, ...live.indexes.filter(({ isUnique }) => isUnique)];
  for (const { name, columns } of uniques)
    if (!columns.includes(time)) reasons.push(`${name} keeps (${list(columns)}) unique without ${time}`);
  for (const { name, inherits } of live.checks)
    if (!inherits) reasons.push(`constraint ${name} is NO INHERIT`);
  if (live.hasPolicies) reasons.push('it has row-level security');
  if (live.replicaIdentity === 'i') reasons.push('its replica identity is an index');
  for (const name of live.referencedBy) reasons.push(`foreign key ${name} points to it`);
  for (const name of live.dependents)
    reasons.push(`${name} uses it: drop that, partition ${table}, and make it again`);
  return reasons;
}
