/** A name as SQL takes it. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A moment as a literal that does not depend on the session's time zone. */
export const quoteTime = (ms: number): string => `'${new Date(ms).toISOString()}'`;
