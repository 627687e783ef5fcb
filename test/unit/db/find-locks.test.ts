import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findLocks, LOCK_RULES } from '../../../src/db/migrations/find-locks.ts';
import { readMigrations } from '../../../src/db/migrations/read-migrations.ts';
import { migrationsDir } from '../../support/migrations-dir.ts';

const rulesOf = (text: string, inTransaction = true) =>
  findLocks({ statements: text.split('--> statement-breakpoint'), inTransaction }).map(({ rule }) => rule);

/** Each rule with what it finds and what it lets pass; `alone`: in a file without a transaction. */
const EXAMPLES: Record<string, { bad: string[]; good: string[]; alone?: true }> = {
  'index-blocks-writers': {
    bad: [
      'CREATE INDEX i ON api_usage (path)',
      'CREATE UNIQUE INDEX "i" ON "public"."api_usage" USING btree ("id")',
    ],
    good: ['CREATE TABLE vitals.t (id int); CREATE INDEX i ON vitals.t (id)'],
  },
  'concurrently-in-transaction': {
    bad: ['CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON api_usage (path)'],
    good: ['ALTER TABLE api_usage ADD COLUMN x text -- not CONCURRENTLY'],
  },
  'not-repeatable': {
    bad: [
      'CREATE INDEX CONCURRENTLY i ON api_usage (path)',
      'CREATE TABLE t (id int)',
      'ALTER TABLE t ADD COLUMN x int',
    ],
    good: [
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON api_usage (path)',
      'ALTER TABLE t ADD COLUMN IF NOT EXISTS x int',
    ],
    alone: true,
  },
  'drop-index-blocks': { bad: ['DROP INDEX i'], good: ['DROP INDEX CONCURRENTLY IF EXISTS i'], alone: true },
  'constraint-is-checked-under-lock': {
    bad: [
      'ALTER TABLE api_usage ADD CONSTRAINT f FOREIGN KEY (server_id) REFERENCES mcp_server(id)',
      'ALTER TABLE api_usage ADD CONSTRAINT c CHECK (status_code > 0)',
    ],
    good: [
      'ALTER TABLE api_usage ADD CONSTRAINT c CHECK (status_code > 0) NOT VALID',
      'CREATE TABLE "vitals"."t" (id text); ALTER TABLE "vitals"."t" ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES mcp_server(id)',
    ],
  },
  'validated-in-the-same-transaction': {
    bad: ['ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c'],
    good: ['ALTER TABLE t VALIDATE CONSTRAINT c'],
  },
  'key-is-built-under-lock': {
    bad: ['ALTER TABLE t ADD CONSTRAINT u UNIQUE (x)', 'ALTER TABLE t ADD PRIMARY KEY (id)'],
    good: ['ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i'],
  },
  'table-is-rewritten': {
    bad: [
      'ALTER TABLE t ALTER COLUMN x TYPE bigint',
      'ALTER TABLE t ALTER x SET DATA TYPE bigint',
      'ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()',
      'ALTER TABLE t ADD COLUMN x timestamptz DEFAULT clock_timestamp()',
      'ALTER TABLE t ADD COLUMN x bigserial',
      'ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (y * 2) STORED',
    ],
    good: [
      'ALTER TABLE t ADD COLUMN x timestamptz DEFAULT now() NOT NULL',
      'ALTER TABLE t ADD COLUMN x bigint DEFAULT (pg_current_xact_id()::text::bigint)',
      "ALTER TABLE t ADD COLUMN x text DEFAULT 'a (b)'",
    ],
  },
  'column-without-default': {
    bad: ['ALTER TABLE t ADD COLUMN x int NOT NULL'],
    good: ['ALTER TABLE t ADD COLUMN x int DEFAULT 0 NOT NULL', 'ALTER TABLE t ADD COLUMN x int'],
  },
  'not-null-is-checked-under-lock': {
    bad: ['ALTER TABLE t ALTER COLUMN x SET NOT NULL'],
    good: ['ALTER TABLE t ALTER COLUMN x DROP NOT NULL'],
  },
  'contract-too-early': {
    bad: [
      'ALTER TABLE t DROP COLUMN x',
      'ALTER TABLE t RENAME COLUMN x TO y',
      'DROP TABLE t',
      'ALTER TABLE t RENAME TO u',
    ],
    good: ['-- vitals: allow contract-too-early: nobody has read it since 0.3\nALTER TABLE t DROP COLUMN x'],
  },
  'everybody-waits': {
    bad: ['LOCK TABLE t', 'VACUUM FULL t', 'CLUSTER t', 'TRUNCATE t', 'REINDEX TABLE t'],
    good: ['REINDEX INDEX CONCURRENTLY i', 'REFRESH MATERIALIZED VIEW CONCURRENTLY v', 'VACUUM t'],
    alone: true,
  },
  'all-rows-at-once': {
    bad: ['UPDATE api_usage SET path = 1', 'DELETE FROM api_usage'],
    good: ['CREATE TABLE vitals.t (id int); UPDATE vitals.t SET id = 1'],
  },
  'hidden-in-a-block': {
    bad: ['DO $$ BEGIN PERFORM 1; END $$'],
    good: ["COMMENT ON TABLE t IS 'DO nothing'"],
  },
};

describe('findLocks', () => {
  it('has a good and a bad example of each rule', () => {
    expect(Object.keys(EXAMPLES)).toEqual(LOCK_RULES);
  });

  it.each(Object.entries(EXAMPLES))('%s', (rule, { bad, good, alone }) => {
    for (const text of bad) expect(rulesOf(text, !alone), text).toContain(rule);
    for (const text of good) expect(rulesOf(text, !alone), text).not.toContain(rule);
  });

  it('is explained in docs/migrations.md, rule by rule', () => {
    const page = readFileSync(new URL('../../../docs/migrations.md', import.meta.url), 'utf8');
    expect([...page.matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1])).toEqual(LOCK_RULES);
  });
});

/** Written before there were these rules, on tables of the worker's own with a row for each server. */
const BEFORE_THE_RULES: Record<string, string[]> = {
  '0003_verdicts': ['index-blocks-writers', 'index-blocks-writers'],
};

/** The first one makes the gateway's tables, and runs on an empty database alone. */
it.each(readMigrations(migrationsDir).slice(1))('$tag keeps nobody waiting', (migration) => {
  const problems = findLocks(migration);
  const known = BEFORE_THE_RULES[migration.tag] ?? [];
  expect(problems.map(({ rule }) => rule)).toEqual(known);
});
