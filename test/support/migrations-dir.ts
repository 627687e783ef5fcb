import { fileURLToPath } from 'node:url';

/** drizzle/, absolute. */
export const migrationsDir = fileURLToPath(new URL('../../drizzle', import.meta.url));
