import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { z } from 'zod';

const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

export interface Migration {
  /** Its file's name without `.sql`. */
  tag: string;
  statements: string[];
  /** When it was generated, in milliseconds: its identity in the bookkeeping, with the hash. */
  when: number;
  hash: string;
  /**
   * False for a file whose first line is `-- vitals: no-transaction`: its statements run one by one,
   * outside of a transaction (CREATE INDEX CONCURRENTLY wants that), so each must be repeatable.
   */
  inTransaction: boolean;
}

const OUTSIDE = /^--\s*vitals:\s*no-transaction\s*$/m;

/** The migrations of a folder that drizzle-kit made, in their order. */
export function readMigrations(migrationsDir: string): Migration[] {
  const journal = journalSchema.parse(
    JSON.parse(readFileSync(join(migrationsDir, 'meta', '_journal.json'), 'utf8')),
  );
  const files = readMigrationFiles({ migrationsFolder: migrationsDir });
  return journal.entries.map(({ tag, when }, place) => {
    const file = files[place];
    if (!file) throw new Error(`the journal names ${tag}, and there is no such file`);
    const [firstLine] = (file.sql[0] ?? '').split('\n', 1);
    return {
      tag,
      when,
      hash: file.hash,
      statements: file.sql.filter((statement) => statement.trim() !== ''),
      inTransaction: !OUTSIDE.test(firstLine ?? ''),
    };
  });
}
