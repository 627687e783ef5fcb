import type { Endpoint } from '../core/target.ts';
import type { ProbeContext } from './context.ts';
import { HttpTransport } from './transports/http.ts';
import type { ProbeTransport } from './transports/probe-transport.ts';
import { SseTransport } from './transports/sse.ts';
import { StdioTransport } from './transports/stdio.ts';
import { WebSocketTransport } from './transports/websocket.ts';

/** The transport for an endpoint, not yet started; `headers` are the credentials. */
export function createTransport(
  endpoint: Endpoint,
  headers: Record<string, string>,
  context: ProbeContext,
): ProbeTransport {
  switch (endpoint.transport) {
    case 'http':
      return new HttpTransport(endpoint.url, headers, context);
    case 'sse':
      return new SseTransport(endpoint.url, headers, context);
    case 'websocket':
      return new WebSocketTransport(endpoint.url, headers, context);
    case 'stdio':
      return new StdioTransport(endpoint, context);
  }
}
