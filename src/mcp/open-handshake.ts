import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Implementation } from '@modelcontextprotocol/sdk/types.js';
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';
import type { jsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/types.js';
import { FaultError } from './fault-error.ts';
import type { Opened } from './opened.ts';
import { Attachment, type Link } from './transports/attachment.ts';

/**
 * No schema of a target is ever compiled, not even that of a tool that is called: a hostile one would block
 * the event loop for seconds, and a broken one would cost the whole listing.
 */
const validateNothing: jsonSchemaValidator = {
  getValidator() {
    return () => ({ valid: false, data: undefined, errorMessage: 'a prober validates nothing' });
  },
};

/** initialize and initialized, by the SDK's client; rejects with what the SDK or the transport throws. */
export async function openHandshake(
  link: Link,
  clientInfo: Implementation,
  sdkTimeoutMs: number,
): Promise<Opened> {
  const client = new Client(clientInfo, { jsonSchemaValidator: validateNothing });
  const attachment = new Attachment(link);
  try {
    await client.connect(attachment, { timeout: sdkTimeoutMs });
  } catch (error) {
    const offered = attachment.firstResult?.protocolVersion;
    if (typeof offered === 'string' && !SUPPORTED_PROTOCOL_VERSIONS.includes(offered)) {
      const message = `it offers protocol version ${offered}, which is none of ours`;
      throw new FaultError({ kind: 'version', offered, message });
    }
    throw error;
  }
  const info = client.getServerVersion();
  return {
    era: 'handshake',
    protocol: client,
    protocolVersion: attachment.protocolVersion,
    serverInfo: info
      ? { name: info.name, version: info.version, ...(info.title === undefined ? {} : { title: info.title }) }
      : null,
    capabilities: { ...client.getServerCapabilities() },
    instructions: client.getInstructions() ?? null,
  };
}
