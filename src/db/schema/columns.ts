import { timestamp } from 'drizzle-orm/pg-core';

/** A moment: `timestamp with time zone`, a Date on our side. */
export const at = <Name extends string>(name: Name) => timestamp(name, { withTimezone: true });

/**
 * A moment that the application sets when it makes the row. No SQL default, since the gateway's
 * database has none: ours stays the same, and taking a gateway's over changes none of its columns.
 */
export const madeAt = <Name extends string>(name: Name) => at(name).$defaultFn(() => new Date());

/** Like `madeAt`, and set again by every update made through Drizzle. */
export const touchedAt = <Name extends string>(name: Name) => madeAt(name).$onUpdate(() => new Date());
