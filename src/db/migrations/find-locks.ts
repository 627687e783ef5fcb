import type { Migration } from './read-migrations.ts';

/** What in a migration keeps a live database's users waiting, or breaks the release that still runs. */
export interface LockProblem {
  rule: string;
  /** The statement's beginning. */
  statement: string;
  /** What to do instead. */
  advice: string;
}

interface Rule {
  rule: string;
  advice: string;
  breaks: (statement: string, context: Context) => boolean;
}

interface Context {
  inTransaction: boolean;
  /** Tables that this migration itself has made: nobody waits for them. */
  made: ReadonlySet<string>;
  /** Earlier statements of the same transaction. */
  before: readonly string[];
}

/** Functions whose value is the same for all rows of a statement: ADD COLUMN evaluates them once. */
const STEADY =
  /\b(now|current_timestamp|transaction_timestamp|statement_timestamp|pg_current_xact_id|to_timestamp)\b/gi;

/** `"public"."api_usage"`, `api_usage` and `ONLY api_usage` are one table. */
const tableName = (text: string | undefined): string =>
  (text ?? '')
    .replace(/^only\s+/i, '')
    .replaceAll('"', '')
    .replace(/^public\./i, '')
    .toLowerCase();

const NAME = String.raw`((?:ONLY\s+)?[\w$".]+)`;
const target = (statement: string): string =>
  tableName(
    new RegExp(String.raw`^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?${NAME}`, 'i').exec(statement)?.[1] ??
      new RegExp(String.raw`^CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\sON\s+${NAME}`, 'i').exec(statement)?.[1] ??
      new RegExp(String.raw`^(?:UPDATE|DELETE\s+FROM)\s+${NAME}`, 'i').exec(statement)?.[1],
  );
const isLive = (statement: string, { made }: Context): boolean => !made.has(target(statement));
const alters = (statement: string, pattern: RegExp, context: Context): boolean =>
  /^ALTER\s+TABLE\b/i.test(statement) && pattern.test(statement) && isLive(statement, context);

function hasVolatileDefault(statement: string): boolean {
  const added = /\bADD\s+(?:COLUMN\s+)?(?!CONSTRAINT)[\s\S]*?\bDEFAULT\s+([\s\S]*)/i.exec(statement)?.[1];
  return added !== undefined && /[\w$]\s*\(/.test(added.replace(STEADY, '').replace(/\bvarchar\s*\(/gi, ''));
}

const RULES: readonly Rule[] = [
  {
    rule: 'index-blocks-writers',
    advice: 'CREATE INDEX CONCURRENTLY, in a file that begins with "-- vitals: no-transaction"',
    breaks: (text, context) =>
      /^CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)/i.test(text) && isLive(text, context),
  },
  {
    rule: 'concurrently-in-transaction',
    advice: 'begin the file with "-- vitals: no-transaction"',
    breaks: (text, { inTransaction }) => inTransaction && /^\w[\s\S]*\bCONCURRENTLY\b/i.test(text),
  },
  {
    rule: 'not-repeatable',
    advice: 'IF [NOT] EXISTS: a file without a transaction may be run from its beginning again',
    breaks: (text, { inTransaction }) =>
      !inTransaction &&
      (/^(CREATE\s+(UNIQUE\s+)?(TABLE|INDEX|SCHEMA)|DROP)\b/i.test(text) ||
        /\b(ADD|DROP)\s+COLUMN\b/i.test(text)) &&
      !/\bIF\s+(NOT\s+)?EXISTS\b/i.test(text),
  },
  {
    rule: 'drop-index-blocks',
    advice: 'DROP INDEX CONCURRENTLY IF EXISTS, in a file without a transaction',
    breaks: (text) => /^DROP\s+INDEX\s+(?!CONCURRENTLY)/i.test(text),
  },
  {
    rule: 'constraint-is-checked-under-lock',
    advice: 'ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in a later migration',
    breaks: (text, context) =>
      alters(text, /\bADD\s+(CONSTRAINT\s+\S+\s+)?(FOREIGN\s+KEY|CHECK)\b/i, context) &&
      !/\bNOT\s+VALID\b/i.test(text),
  },
  {
    rule: 'validated-in-the-same-transaction',
    advice:
      'VALIDATE CONSTRAINT in a migration of its own: the lock of ADD CONSTRAINT lasts as long as the transaction',
    breaks: (text, { before }) =>
      /\bVALIDATE\s+CONSTRAINT\b/i.test(text) && before.some((earlier) => /\bNOT\s+VALID\b/i.test(earlier)),
  },
  {
    rule: 'key-is-built-under-lock',
    advice: 'CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX',
    breaks: (text, context) =>
      alters(text, /\bADD\s+(CONSTRAINT\s+\S+\s+)?(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b/i, context) &&
      !/\bUSING\s+INDEX\b/i.test(text),
  },
  {
    rule: 'table-is-rewritten',
    advice:
      'a new column, filled in batches, instead of another type or a default that differs from row to row',
    breaks: (text, context) =>
      alters(text, /\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b/i, context) ||
      alters(
        text,
        /\bADD\s+(COLUMN\s+)?[\s\S]*\b(GENERATED\s+(ALWAYS|BY\s+DEFAULT)\s+AS|(small|big)?serial\b)/i,
        context,
      ) ||
      (alters(text, /\bADD\s+(COLUMN\s+)?/i, context) && hasVolatileDefault(text)),
  },
  {
    rule: 'column-without-default',
    advice: 'a DEFAULT: rows that are there, and those that the release before writes, have no value for it',
    breaks: (text, context) =>
      alters(text, /\bADD\s+(COLUMN\s+)?(?!CONSTRAINT)[\s\S]*\bNOT\s+NULL\b/i, context) &&
      !/\bDEFAULT\b/i.test(text),
  },
  {
    rule: 'not-null-is-checked-under-lock',
    advice: 'a CHECK (… IS NOT NULL) NOT VALID, validated later; then SET NOT NULL reads nothing',
    breaks: (text, context) => alters(text, /\bSET\s+NOT\s+NULL\b/i, context),
  },
  {
    rule: 'contract-too-early',
    advice:
      'what a running release uses goes one release after nobody uses it: -- vitals: allow contract-too-early: why',
    breaks: (text, context) =>
      alters(text, /\b(DROP\s+(COLUMN|CONSTRAINT)|RENAME)\b/i, context) ||
      /^DROP\s+(TABLE|SCHEMA|TYPE|VIEW|FUNCTION|SEQUENCE)\b/i.test(text) ||
      /^ALTER\s+(TYPE|SCHEMA)\b[\s\S]*\bRENAME\b/i.test(text),
  },
  {
    rule: 'everybody-waits',
    advice: 'nothing that locks a whole table for as long as it is read',
    breaks: (text) =>
      /^(LOCK\b|CLUSTER\b|VACUUM\s+FULL\b|TRUNCATE\b|REFRESH\s+MATERIALIZED\s+VIEW\s+(?!CONCURRENTLY)|REINDEX\b(?![\s\S]*CONCURRENTLY))/i.test(
        text,
      ),
  },
  {
    rule: 'all-rows-at-once',
    advice: 'a job that changes some thousand rows at a time',
    breaks: (text, context) => /^(UPDATE|DELETE\s+FROM)\b/i.test(text) && isLive(text, context),
  },
  {
    rule: 'hidden-in-a-block',
    advice: 'statements as they are: what a DO block does is seen by nobody',
    breaks: (text) => /^DO\b/i.test(text),
  },
];

export const LOCK_RULES: readonly string[] = RULES.map(({ rule }) => rule);

const ALLOW = /^--\s*vitals:\s*allow\s+([\w-]+):\s*\S/gm;

/** Without comments, and without what strings hold. */
const bare = (text: string): string =>
  text
    .replace(/--[^\n]*/g, '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^']|'')*'/g, "''")
    .trim();

/**
 * Everything in a migration that a live database would suffer from. A comment
 * `-- vitals: allow <rule>: <why>` before a statement lets it pass.
 */
export function findLocks({
  statements,
  inTransaction,
}: Pick<Migration, 'statements' | 'inTransaction'>): LockProblem[] {
  const made = new Set<string>();
  const before: string[] = [];
  const problems: LockProblem[] = [];
  const parts = statements.map((text) => ({
    allowed: new Set([...text.matchAll(ALLOW)].map((match) => match[1])),
    text,
  }));
  for (const { text, allowed } of parts)
    for (const statement of bare(text)
      .split(';')
      .map((part) => part.trim())
      .filter(Boolean)) {
      const created = new RegExp(String.raw`^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?${NAME}`, 'i').exec(
        statement,
      )?.[1];
      if (created) made.add(tableName(created));
      for (const { rule, advice, breaks } of RULES)
        if (!allowed.has(rule) && breaks(statement, { inTransaction, made, before }))
          problems.push({ rule, statement: statement.slice(0, 120), advice });
      if (inTransaction) before.push(statement);
    }
  return problems;
}
