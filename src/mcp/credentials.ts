import type { BadTarget, Credentials } from '../core/target.ts';

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What HTTP allows in a value: no control characters, nothing beyond Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Headers that belong to the connection or to the protocol: a registry that sets them breaks the probe. */
const RESERVED =
  /^(connection|content-length|content-type|accept|accept-encoding|transfer-encoding|te|trailer|upgrade|keep-alive|expect|mcp-.*|sec-websocket-.*|last-event-id)$/i;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const badAuth = (message: string): BadTarget => ({ kind: 'config', field: 'auth', message });

/** A non-empty string without the blanks that pasting leaves around a secret; undefined for anything else. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.trim() === '' ? undefined : value.trim();
}

/** `auth_config.custom` as an object; a BadTarget when it is something else. */
export function customOf(authConfig: unknown): Record<string, unknown> | BadTarget {
  if (authConfig === null || authConfig === undefined) return {};
  if (!isObject(authConfig)) return badAuth('auth_config is no object');
  const { custom } = authConfig;
  if (custom === null || custom === undefined) return {};
  return isObject(custom) ? custom : badAuth('auth_config.custom is no object');
}

function customHeaders(custom: Record<string, unknown>): Record<string, string> | BadTarget {
  const { headers } = custom;
  if (headers === null || headers === undefined) return {};
  if (!isObject(headers)) return badAuth('auth_config.custom.headers is no object');
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      return badAuth(`the custom header ${name} has no text as its value`);
    }
    const problem = addHeader(clean, name, String(value));
    if (problem) return problem;
  }
  return clean;
}

function addHeader(headers: Record<string, string>, name: string, value: string): BadTarget | undefined {
  if (!HEADER_NAME.test(name))
    return badAuth('the name of a header holds characters that HTTP does not allow');
  if (RESERVED.test(name)) return badAuth(`the header ${name} belongs to the protocol and cannot be set`);
  if (!HEADER_VALUE.test(value)) {
    return badAuth(`the value of the header ${name} holds characters that HTTP does not allow`);
  }
  headers[name.toLowerCase()] = value;
  return undefined;
}

const isBad = (value: object): value is BadTarget => 'kind' in value && value.kind === 'config';

/**
 * What auth_type and auth_config say about how to prove who we are. The message of a BadTarget names
 * what is wrong, never a value.
 */
export function credentialsOf(authType: string, authConfig: unknown): Credentials | BadTarget {
  if (authType === 'none') return { kind: 'none' };
  if (!isObject(authConfig)) return badAuth(`auth_type is ${authType}, and auth_config is no object`);
  const custom = customOf(authConfig);
  if (isBad(custom)) return custom;
  const headers = customHeaders(custom);
  if (isBad(headers)) return headers;
  switch (authType) {
    case 'bearer': {
      const token = textOf(authConfig.bearerToken)?.replace(/^bearer\s+/i, '');
      if (!token) return badAuth('auth_type is bearer, and auth_config.bearerToken is missing');
      return addHeader(headers, 'authorization', `Bearer ${token}`) ?? { kind: 'headers', headers };
    }
    case 'api_key': {
      const key = textOf(authConfig.apiKey);
      if (!key) return badAuth('auth_type is api_key, and auth_config.apiKey is missing');
      const name = custom.headerName ?? 'x-api-key';
      if (typeof name !== 'string') return badAuth('auth_config.custom.headerName is no text');
      return addHeader(headers, name, key) ?? { kind: 'headers', headers };
    }
    case 'oauth':
      return oauthOf(authConfig.oauth, custom.issuer, headers);
    case 'custom':
      return { kind: 'headers', headers };
    default:
      return badAuth(`auth_type is ${authType}; it has to be none, bearer, api_key, oauth or custom`);
  }
}

function oauthOf(
  oauth: unknown,
  customIssuer: unknown,
  headers: Record<string, string>,
): Credentials | BadTarget {
  if (!isObject(oauth)) return badAuth('auth_type is oauth, and auth_config.oauth is no object');
  const clientId = textOf(oauth.clientId);
  const clientSecret = textOf(oauth.clientSecret);
  if (!clientId || !clientSecret) return badAuth('auth_config.oauth lacks clientId or clientSecret');
  const scopes = Array.isArray(oauth.scope) ? oauth.scope : [oauth.scope];
  const scope = textOf(scopes.filter((name) => typeof name === 'string').join(' '));
  // The gateway's own form has no place for an issuer in `oauth`, but takes anything in `custom`.
  const issuer = textOf(oauth.issuer) ?? textOf(customIssuer);
  if (issuer !== undefined && !URL.canParse(issuer)) return badAuth('the issuer in auth_config is no URL');
  return {
    kind: 'oauth',
    clientId,
    clientSecret,
    ...(scope === undefined ? {} : { scope }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
}
