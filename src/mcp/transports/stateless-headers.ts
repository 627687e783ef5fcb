import { PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/client';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

const ENCODED = /^=\?base64\?.*\?=$/s;
const PLAIN = /^[\t\x20-\x7e]+$/;

/** What the 2026-07-28 revision wants in the headers; undefined for a message of the handshake era. */
export function envelopeVersion(message: JSONRPCMessage): string | undefined {
  if (!('method' in message)) return undefined;
  const version = message.params?._meta?.[PROTOCOL_VERSION_META_KEY];
  return typeof version === 'string' ? version : undefined;
}

/** A value as a header takes it: as it is, or in base64 where it could not be read back from one. */
export function encodeHeaderValue(value: string): string {
  if (PLAIN.test(value) && value === value.trim() && !ENCODED.test(value)) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

/** Method and, for a call, the tool's name, which that revision repeats in headers. */
export function statelessHeaders(message: JSONRPCMessage, version: string): Record<string, string> {
  if (!('method' in message)) return { 'mcp-protocol-version': version };
  const headers = { 'mcp-protocol-version': version, 'mcp-method': message.method };
  const name = message.method === 'tools/call' ? message.params?.name : undefined;
  return typeof name === 'string' ? { ...headers, 'mcp-name': encodeHeaderValue(name) } : headers;
}
