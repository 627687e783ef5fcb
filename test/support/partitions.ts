import type { Sql } from 'postgres';
import { openClient } from '../../src/db/client.ts';

const CALLS = `INSERT INTO api_usage (id, server_id, path, method, status_code, requested_at)`;

/** Calls of a gateway, spread over the days before now. */
export async function fillCalls(sql: Sql, rows: number, days: number): Promise<void> {
  await sql.unsafe(`${CALLS} SELECT gen_random_uuid(), 'one', '/mcp', 'POST', 200,
    now() - n * interval '${days} days' / ${rows} FROM generate_series(0, ${rows - 1}) n`);
}

export interface Writer {
  /** Resolves when it has written once more, from now on. */
  wroteAgain(): Promise<void>;
  /** Ends it; how many rows it has written. Rejects with what went wrong. */
  stop(): Promise<number>;
}

/** Writes row after row on connections of its own, each with a time that `timeOf` (SQL) gives. */
export function startWriter(
  url: string,
  table: 'api_usage' | 'mcp_server_health_check',
  timeOf = 'now()',
): Writer {
  const insert =
    table === 'api_usage'
      ? `${CALLS} VALUES (gen_random_uuid(), 'one', '/mcp', 'POST', 200, ${timeOf})`
      : `INSERT INTO mcp_server_health_check (server_id, status, checked_at) VALUES ('one', 'healthy', ${timeOf})`;
  const sql = openClient(url, { poolSize: 2 });
  let stopped = false;
  let written = 0;
  const waiting: (() => void)[] = [];
  const loop = async (): Promise<void> => {
    while (!stopped) {
      // As in a gateway: the server's row is touched in the transaction of its call.
      await sql.begin(async (tx) => {
        await tx.unsafe("SET LOCAL lock_timeout = '20s'");
        if (written % 2 === 0) await tx.unsafe("UPDATE mcp_server SET last_used_at = now() WHERE id = 'one'");
        // Prepared, as drivers do: the plan is of the table as it was.
        await tx.unsafe(insert, [], { prepare: true });
      });
      written += 1;
      for (const tell of waiting.splice(0)) tell();
    }
  };
  const running = Promise.all([loop(), loop()]);
  // Told to whoever waits for a row, or stops it.
  running.catch(() => undefined);
  return {
    wroteAgain: () =>
      Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), running.then(() => undefined)]),
    async stop() {
      stopped = true;
      try {
        await running;
      } finally {
        await sql.end();
      }
      return written;
    },
  };
}
