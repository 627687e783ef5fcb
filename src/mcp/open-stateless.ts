import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/client';
import { Protocol, type RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type Implementation,
  McpError,
  type Notification,
  type Request,
  type Result,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { ServerInfo } from '../core/outcome.ts';
import { FaultError } from './fault-error.ts';
import type { Opened } from './opened.ts';
import { Attachment, type Link } from './transports/attachment.ts';

/** The revision that the stateless era begins with, and the only one so far. */
export const STATELESS_VERSION = '2026-07-28';

/** The JSON-RPC code for a protocol version that the server does not speak. */
const UNSUPPORTED_VERSION = -32022;

const DiscoverSchema = z.looseObject({
  supportedVersions: z.array(z.string()),
  capabilities: z.looseObject({}),
  instructions: z.string().optional(),
  resultType: z.literal('complete'),
});

const ServerInfoSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  title: z.string().optional(),
});

/**
 * The stateless era on the SDK's message layer: ids, answers and errors are its own, and each request
 * carries the envelope. The SDK's client of this era checks a listing as a whole, so that one tool
 * defined wrongly would hide all the others.
 */
class StatelessProtocol extends Protocol<Request, Notification, Result> {
  readonly #envelope: Record<string, unknown>;

  constructor(clientInfo: Implementation) {
    super();
    this.#envelope = {
      [PROTOCOL_VERSION_META_KEY]: STATELESS_VERSION,
      [CLIENT_INFO_META_KEY]: clientInfo,
      [CLIENT_CAPABILITIES_META_KEY]: {},
    };
  }

  override request<T extends Parameters<Protocol<Request, Notification, Result>['request']>[1]>(
    request: Request,
    resultSchema: T,
    options?: RequestOptions,
  ) {
    const params = { ...request.params, _meta: { ...request.params?._meta, ...this.#envelope } };
    return super.request({ ...request, params }, resultSchema, options);
  }

  protected override assertCapabilityForMethod(): void {
    // A prober asks for what the target advertises: nothing is held back.
  }
  protected override assertNotificationCapability(): void {
    // A prober asks for what the target advertises: nothing is held back.
  }
  protected override assertRequestHandlerCapability(): void {
    // A prober asks for what the target advertises: nothing is held back.
  }
  protected override assertTaskCapability(): void {
    // A prober asks for what the target advertises: nothing is held back.
  }
  protected override assertTaskHandlerCapability(): void {
    // A prober asks for what the target advertises: nothing is held back.
  }
}

function serverInfoOf(result: Record<string, unknown>): ServerInfo | null {
  const meta = result._meta;
  const named =
    typeof meta === 'object' && meta !== null ? Reflect.get(meta, SERVER_INFO_META_KEY) : undefined;
  const info = ServerInfoSchema.safeParse(named);
  if (!info.success) return null;
  const { name, version, title } = info.data;
  return { name, version, ...(title === undefined ? {} : { title }) };
}

/** What a server of a later revision says it speaks; -32022 carries it in its data. */
function versionFault(offered: string[]): FaultError {
  const named = offered.join(', ');
  const message = `it offers protocol versions ${named || '(none)'}, which are none of ours`;
  return new FaultError({ kind: 'version', offered: named, message });
}

function supportedIn(data: unknown): string[] {
  const named = typeof data === 'object' && data !== null ? Reflect.get(data, 'supported') : undefined;
  return Array.isArray(named) ? named.map(String) : [];
}

/**
 * server/discover: the greeting and the sign of life of the stateless era. A server that has said
 * nothing after `silenceMs` is given up: a cancellation would be one more message that it may not know.
 */
export async function openStateless(
  link: Link,
  clientInfo: Implementation,
  sdkTimeoutMs: number,
  silenceMs: number | null,
): Promise<Opened> {
  const protocol = new StatelessProtocol(clientInfo);
  await protocol.connect(new Attachment(link));
  const silence = silenceMs === null ? undefined : setTimeout(() => void protocol.close(), silenceMs);
  let result: z.infer<typeof DiscoverSchema>;
  try {
    const options = { timeout: sdkTimeoutMs };
    result = await protocol.request({ method: 'server/discover' }, DiscoverSchema, options);
  } catch (error) {
    await protocol.close();
    const unsupported = error instanceof McpError && error.code === UNSUPPORTED_VERSION;
    throw unsupported ? versionFault(supportedIn(error.data)) : error;
  } finally {
    clearTimeout(silence);
  }
  if (!result.supportedVersions.includes(STATELESS_VERSION)) throw versionFault(result.supportedVersions);
  return {
    era: 'stateless',
    protocol,
    protocolVersion: STATELESS_VERSION,
    serverInfo: serverInfoOf(result),
    capabilities: result.capabilities,
    instructions: result.instructions ?? null,
  };
}
