import { REDACTED, type Secrets } from './secrets.ts';
import { stripCredentials } from './strip-credentials.ts';

/** Names whose values are secret wherever they stand, in lower case and without `-` and `_`. */
const SECRET_NAMES = new Set([
  'authconfig',
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'xapikey',
  'apikey',
  'password',
  'passwd',
  'secret',
  'clientsecret',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'bearertoken',
  'bearer',
  'credentials',
  'databaseurl',
  'redisurl',
]);

/** A quick look at serialised JSON for such a name with something behind it. */
const SECRET_KEY =
  /"(?:auth_?config|(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api[-_]?key|passw(?:or)?d|(?:client[-_]?)?secret|(?:(?:access|refresh|id|bearer)[-_]?)?token|bearer|credentials|database_?url|redis_?url)":(?!null|""|"\[redacted\]")/i;

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''));
}

function redactValue(value: unknown, secrets: Secrets): unknown {
  if (typeof value === 'string') return secrets.redact(value);
  if (typeof value === 'number') {
    const text = String(value);
    return secrets.redact(text) === text ? value : REDACTED;
  }
  if (Array.isArray(value)) return value.map((item) => redactValue(item, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      secrets.redact(name),
      isSecretName(name) && item !== null && item !== '' ? REDACTED : redactValue(item, secrets),
    ]),
  );
}

/**
 * One serialised log line without secrets. A line that holds none, nearly every one, costs a search and
 * no more; one that does is taken apart, so that what is replaced is always a whole JSON value.
 */
export function redactLine(line: string, secrets: Secrets): string {
  const stripped = stripCredentials(line);
  if (!SECRET_KEY.test(stripped) && !secrets.occurIn(stripped)) return stripped;
  return `${JSON.stringify(redactValue(JSON.parse(stripped), secrets))}\n`;
}
