import type { Database } from '../../src/db/client.ts';
import { mcpServer } from '../../src/db/schema/index.ts';

type NewServer = typeof mcpServer.$inferInsert;

/**
 * Longer than any test lives: a server's regular slot may lie a moment behind its first check, and
 * a test that counts probes would then see one more, on some days.
 */
const NO_SLOT_SOON_SECONDS = 2_000_000_000;

/** Registers a server as the gateway would: inactive, never checked. */
export async function registerServer(
  db: Database,
  server: Partial<NewServer> & { id: string },
): Promise<void> {
  await db.insert(mcpServer).values({
    name: server.id,
    version: '',
    endpointUrl: `http://127.0.0.1:1/${server.id}`,
    transportType: 'http',
    ownerId: 'owner',
    healthCheckInterval: NO_SLOT_SOON_SECONDS,
    ...server,
  });
}
