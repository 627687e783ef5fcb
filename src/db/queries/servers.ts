import { eq } from 'drizzle-orm';
import type { Database } from '../client.ts';
import { mcpServer } from '../schema/index.ts';

export interface RegisteredServer {
  id: string;
  endpointUrl: string;
  transportType: string;
}

/** Where a registered server is reached; null when it is not registered. */
export async function findRegistered(db: Database, id: string): Promise<RegisteredServer | null> {
  const [row] = await db
    .select({ id: mcpServer.id, endpointUrl: mcpServer.endpointUrl, transportType: mcpServer.transportType })
    .from(mcpServer)
    .where(eq(mcpServer.id, id));
  return row ?? null;
}
