import { isIP } from 'node:net';
import { parseCommandPrefixes } from '../core/command-policy.ts';
import { parseSealingKeys, type SealingKey } from '../core/secrets/keys.ts';

/** A shape that a variable's value may have: in words for people, and as a parser. */
export interface Shape<T> {
  allowed: string;
  /** undefined when the text does not have the shape. */
  parse(text: string): T | undefined;
}

export function integer(min: number, max: number): Shape<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    parse(text) {
      if (!/^\d{1,15}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

export function oneOf<const T extends string>(...choices: T[]): Shape<T> {
  return {
    allowed: choices.join(', ').replace(/, ([^,]*)$/, ' or $1'),
    parse: (text) => choices.find((choice) => choice === text),
  };
}

export const folder: Shape<string> = {
  allowed: 'a folder, absolute or relative to the current one',
  parse: (text) => (text.includes('\0') ? undefined : text),
};

export const file: Shape<string> = {
  allowed: 'a file, absolute or relative to the current folder',
  parse: folder.parse,
};

const HOST_NAME = /^(?=.{1,253}$)(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i;

function isHostName(text: string): boolean {
  // All digits and dots is a mistyped address, never a name.
  return HOST_NAME.test(text) && !/^[\d.]+$/.test(text);
}

export const listenHost: Shape<string> = {
  allowed: 'an IP address or a host name, without a port',
  parse: (text) => (isIP(text) !== 0 || isHostName(text) ? text : undefined),
};

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Whether what a driver decodes in a URL can be decoded: a stray `%` has to be written %25. */
function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

export const postgresUrl: Shape<string> = {
  allowed: `a URL postgres://user:password@host:port/database; sslmode, when given, is ${SSL_MODES.join(', ')}`,
  parse(text) {
    if (!/^postgres(ql)?:\/\//.test(text)) return undefined;
    // Several hosts, each with its port, are fine for PostgreSQL and not for URL: look at the first.
    const single = text.replace(/(,[^/?#@]*)(?=[/?#]|$)/, '');
    if (!URL.canParse(single)) return undefined;
    const url = new URL(single);
    const mode = url.searchParams.get('sslmode');
    if (!isDecodable(url)) return undefined;
    return mode === null || SSL_MODES.includes(mode) ? text : undefined;
  },
};

export const redisUrl: Shape<string> = {
  allowed: 'a URL redis://… or, with TLS, rediss://user:password@host:port/db',
  parse(text) {
    if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return undefined;
    const url = new URL(text);
    return url.hostname === '' || !isDecodable(url) ? undefined : text;
  },
};

export const commandPrefixes: Shape<string[][]> = {
  allowed: 'beginnings of command lines, separated by commas; POSIX quoting within each',
  parse: parseCommandPrefixes,
};

export const sealingKeys: Shape<SealingKey[]> = {
  allowed: 'id:key pairs separated by commas; a key is 32 bytes in base64 (openssl rand -base64 32)',
  parse: parseSealingKeys,
};

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || bits === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

/** Networks, addresses and hosts, comma-separated; a host means itself alone, not what is below it. */
export const networkList: Shape<string[]> = {
  allowed: 'networks (10.0.0.0/8), addresses and host names, separated by commas',
  parse(text) {
    const items = text
      .split(',')
      .map((item) => item.trim().toLowerCase().replace(/\.$/, ''))
      .filter((item) => item !== '');
    const fits = items.every((item) => isNetwork(item) || isIP(item) !== 0 || isHostName(item));
    return fits ? items : undefined;
  },
};
