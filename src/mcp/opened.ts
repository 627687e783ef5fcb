import type { Protocol } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Notification, Request, Result } from '@modelcontextprotocol/sdk/types.js';
import type { ServerInfo } from '../core/outcome.ts';
import type { Era } from '../core/target.ts';

/** A server that has greeted us, in either era. */
export interface Opened {
  era: Era;
  protocol: Pick<Protocol<Request, Notification, Result>, 'request'>;
  protocolVersion: string | null;
  serverInfo: ServerInfo | null;
  capabilities: Record<string, unknown>;
  instructions: string | null;
}
