import type { Session } from '../migrations/bookkeeping.ts';
import type { PartitionedTable } from './partitioned-tables.ts';

interface Named {
  name: string;
  definition: string;
}

/** Everything of a plain table that its partitioned successor has to have as well. */
export interface LiveTable {
  oid: number;
  owner: string;
  isOwnerElse: boolean;
  primaryKey: { name: string; columns: string[] } | null;
  timeType: string;
  isTimeNullable: boolean;
  /** Those that can be inserted into, in order. */
  columns: string[];
  identityColumns: string[];
  /** The indexes that belong to no constraint. */
  indexes: (Named & { isUnique: boolean; isValid: boolean; columns: string[] })[];
  uniques: (Named & { columns: string[] })[];
  checks: (Named & { inherits: boolean })[];
  foreignKeys: (Named & { target: string })[];
  triggers: Named[];
  grants: string[];
  sequences: { name: string; column: string }[];
  comment: string | null;
  replicaIdentity: string;
  hasPolicies: boolean;
  /** What reads or names the table, and would go on reading the old one: `view active_calls`. */
  dependents: string[];
  referencedBy: string[];
}

/** All of a table that can be read from the catalogue; null when there is no such plain table. */
export async function readLiveTable(sql: Session, spec: PartitionedTable): Promise<LiveTable | null> {
  const [row] = await sql<{ facts: LiveTable }[]>`
    WITH t AS (
      SELECT c.oid, c.relowner, c.relacl, c.relreplident, c.relrowsecurity
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'public' AND c.relname = ${spec.table} AND c.relkind = 'r')
    SELECT json_build_object(
      'oid', t.oid::int8,
      'owner', pg_get_userbyid(t.relowner),
      'isOwnerElse', pg_get_userbyid(t.relowner) <> current_user,
      'primaryKey', (SELECT json_build_object('name', k.conname, 'columns', ${columnsOf(sql)}) FROM pg_constraint k
                      WHERE k.conrelid = t.oid AND k.contype = 'p'),
      'timeType', (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attname = ${spec.time} AND NOT a.attisdropped),
      'isTimeNullable', (SELECT NOT a.attnotnull FROM pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attname = ${spec.time} AND NOT a.attisdropped),
      'columns', (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
      'identityColumns', (SELECT coalesce(json_agg(a.attname), '[]') FROM pg_attribute a
                   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity <> ''),
      'indexes', (SELECT coalesce(json_agg(json_build_object('name', x.relname, 'definition', pg_get_indexdef(i.indexrelid),
                     'isUnique', i.indisunique, 'isValid', i.indisvalid,
                     'columns', (SELECT coalesce(json_agg(a.attname), '[]') FROM pg_attribute a
                                  WHERE a.attrelid = t.oid AND a.attnum = ANY(i.indkey))) ORDER BY x.relname), '[]')
                    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                   WHERE i.indrelid = t.oid AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid
                                                             AND k.conrelid = t.oid)),
      'uniques', (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
                     'columns', ${columnsOf(sql)}) ORDER BY k.conname), '[]')
                    FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype IN ('u', 'x')),
      'checks', (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
                     'inherits', NOT k.connoinherit) ORDER BY k.conname), '[]')
                   FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c'),
      'foreignKeys', (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
                     'target', k.confrelid::regclass::text) ORDER BY k.conname), '[]')
                        FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'f'),
      'triggers', (SELECT coalesce(json_agg(json_build_object('name', g.tgname, 'definition', pg_get_triggerdef(g.oid))
                     ORDER BY g.tgname), '[]') FROM pg_trigger g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal),
      'grants', (SELECT coalesce(json_agg(g.words ORDER BY g.words), '[]') FROM (
                     SELECT format('GRANT %s ON TABLE public.%I TO %s%s', a.privilege_type, ${spec.table}::text,
                              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS words
                       FROM aclexplode(t.relacl) a WHERE a.grantee <> t.relowner
                     UNION ALL
                     SELECT format('GRANT %s (%I) ON TABLE public.%I TO %s%s', a.privilege_type, c.attname, ${spec.table}::text,
                              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                       FROM pg_attribute c, aclexplode(c.attacl) a
                      WHERE c.attrelid = t.oid AND NOT c.attisdropped) g),
      'sequences', (SELECT coalesce(json_agg(json_build_object('name', format('%I.%I', sn.nspname, s.relname), 'column', a.attname)), '[]')
                      FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                      JOIN pg_namespace sn ON sn.oid = s.relnamespace
                      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                     WHERE d.classid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.deptype = 'a'),
      'comment', obj_description(t.oid, 'pg_class'),
      'replicaIdentity', t.relreplident,
      'hasPolicies', t.relrowsecurity OR EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = t.oid),
      'dependents', (SELECT coalesce(json_agg(DISTINCT pg_describe_object(coalesce(view.classid, d.classid),
                       coalesce(view.oid, d.objid), 0)), '[]')
                       FROM pg_depend d
                       LEFT JOIN LATERAL (SELECT 'pg_class'::regclass::oid AS classid, r.ev_class AS oid FROM pg_rewrite r
                                           WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid) view ON true
                      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                        AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)),
      'referencedBy', (SELECT coalesce(json_agg(k.conrelid::regclass::text || '.' || k.conname), '[]')
                         FROM pg_constraint k WHERE k.confrelid = t.oid AND k.contype = 'f')
    ) AS facts FROM t`;
  return row?.facts ?? null;
}

/** The names of a constraint's columns, in its order. */
const columnsOf = (sql: Session) => sql`
  (SELECT json_agg(a.attname ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum)`;
