import { sql } from 'drizzle-orm';

/**
 * Who may be probed by schedule (m: mcp_server, s: server_state): all but those that a person set to
 * inactive after their first check; an `inactive` that we wrote ourselves is no such wish.
 */
export const MAY_BE_SCHEDULED = sql`(m.status <> 'inactive' OR m.last_health_check IS NULL OR s.status_written = 'inactive')`;

/** A server's interval, as `intervalMsOf` reads it. */
export const INTERVAL = sql`(greatest(coalesce(nullif(greatest(m.health_check_interval, 0), 0), 300), 5) * interval '1 second')`;

/** A gateway's clock may be ahead of ours by so much; a call further in the future is no call of now. */
export const CLOCK_LEEWAY_MS = 60_000;

/**
 * Bounds for the transaction that selects it first: a process that is stopped or cut off in the middle
 * must not hold its locks until TCP gives it up.
 */
export const SHORT_TRANSACTION = sql`set_config('idle_in_transaction_session_timeout', '5s', true),
  set_config('statement_timeout', '60s', true), set_config('lock_timeout', '10s', true)`;

/** The same as a statement of its own. */
export const SHORT_TRANSACTION_SELECT = sql`SELECT ${SHORT_TRANSACTION}`;

/** What a server (s) shares with others, a row for each part. */
export const SHARED_PARTS = sql`(VALUES ('host', s.shared->>'host'), ('domain', s.shared->>'domain'),
  ('tokenIssuer', s.shared->>'tokenIssuer'), ('certificateIssuer', s.shared->>'certificateIssuer')) AS p(part, value)`;
