import type { InventoryKind } from '../outcome.ts';

/**
 * What a change does to an agent: breaking (a call that worked may fail), suspicious (it may turn the
 * agent against its user), additive (something more can be done), cosmetic (none of these). Worst first.
 */
export const GRADES = ['breaking', 'suspicious', 'additive', 'cosmetic'] as const;
export type Grade = (typeof GRADES)[number];

/** One difference between two inventories of a server. */
export interface Change {
  grade: Grade;
  /** `server`: of the server as a whole. */
  kind: InventoryKind | 'server';
  /** The name, uri or template of what changed; the server's name for the server itself. */
  key: string;
  /** What changed, as a code of a closed list; for `suspicious` the name of the rule. */
  code: string;
  /** A sentence without its full stop. Names in it are as the server sent them. */
  text: string;
}

/** What a change of one part is, before it is known of what it is. */
export type PartChange = Pick<Change, 'grade' | 'code' | 'text'>;

/** The worst grade first; otherwise as they came. */
export function worstFirst(changes: readonly Change[]): Change[] {
  const bySeverity = new Map(GRADES.map((grade) => [grade, [] as Change[]]));
  for (const change of changes) bySeverity.get(change.grade)?.push(change);
  return [...bySeverity.values()].flat();
}

/** The worst grade of all; null when nothing changed. */
export function worstGrade(changes: readonly Change[]): Grade | null {
  const present = new Set(changes.map(({ grade }) => grade));
  return GRADES.find((grade) => present.has(grade)) ?? null;
}

export function countGrades(changes: readonly Change[]): Record<Grade, number> {
  const counts = { breaking: 0, suspicious: 0, additive: 0, cosmetic: 0 };
  for (const { grade } of changes) counts[grade] += 1;
  return counts;
}
