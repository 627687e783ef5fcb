/** What a table is, in words that both a Drizzle schema and PostgreSQL's catalogue can be put into. */
export interface TableFacts {
  schema: string;
  name: string;
  columns: ColumnFacts[];
  primaryKey: string[];
  /** The columns of each unique constraint or plain unique index, the primary key left out. */
  uniques: string[][];
  indexes: IndexFacts[];
  foreignKeys: ForeignKeyFacts[];
}

export interface ColumnFacts {
  name: string;
  /** As format_type writes it: `numeric(10,3)`, `timestamp with time zone`. */
  type: string;
  nullable: boolean;
  /** Without quotes and casts: `user`, `{}`, `gen_random_uuid()`; null for none. */
  default: string | null;
}

export interface IndexFacts {
  name: string;
  /** The expression itself where a part of the index is one. */
  columns: string[];
}

export interface ForeignKeyFacts {
  columns: string[];
  /** The table it points to, with its schema unless that is public. */
  table: string;
  foreignColumns: string[];
  onDelete: string;
}
