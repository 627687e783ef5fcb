import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isId = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value));

/**
 * Makes a message of a parsed JSON value, or says in a few words why it is none. Members that JSON-RPC
 * does not know are left out: the SDK would drop the whole message for them, and the request would hang.
 */
export function readMessage(value: unknown): JSONRPCMessage | string {
  if (!isObject(value)) return 'a message is no JSON object';
  if (value.jsonrpc !== '2.0') return 'a message is not marked as JSON-RPC 2.0';
  const { id, method, params, result, error } = value;
  if (typeof method === 'string') {
    if (params !== undefined && params !== null && !isObject(params))
      return 'the params of a message are no object';
    const body = { jsonrpc: '2.0' as const, method, ...(isObject(params) ? { params } : {}) };
    return isId(id) ? { ...body, id } : body;
  }
  if (error !== undefined && error !== null) {
    if (!isObject(error) || !Number.isInteger(error.code)) return 'the error of a response has no code';
    const { code, message, data } = error;
    const problem = { code: Number(code), message: typeof message === 'string' ? message : '', data };
    return { jsonrpc: '2.0', ...(isId(id) ? { id } : {}), error: problem };
  }
  if (!isId(id)) return 'a response has no id';
  if (!isObject(result)) return 'the result of a response is no object';
  return { jsonrpc: '2.0', id, result };
}

/** `message` as the answer to the request `id`, or null when it is none. */
export function asAnswer(message: JSONRPCMessage, id: string | number | undefined): JSONRPCMessage | null {
  if ('method' in message || id === undefined) return null;
  // An error without an id can only mean the one request that its exchange carried.
  if (message.id === undefined) return 'error' in message ? { ...message, id } : null;
  // Some servers give the number of a request back as a text; nothing else is the same id.
  return String(message.id) === String(id) ? message : null;
}
