import type { Database } from '../../src/db/client.ts';
import { mcpServer } from '../../src/db/schema/index.ts';

type NewServer = typeof mcpServer.$inferInsert;

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
    ...server,
  });
}
