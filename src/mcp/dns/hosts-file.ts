import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** Names and their addresses, as /etc/hosts gives them; names in lower case. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (isIP(address.split('%')[0] ?? '') === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(key);
      if (!known) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** What a resolver's configuration adds to a name: the domains to search, and from how many dots on last. */
export interface SearchRules {
  domains: string[];
  ndots: number;
}

const MAX_DOMAINS = 6;
const MAX_NDOTS = 15;

/** The `search` and `options ndots` of a resolv.conf; the last of each counts. */
export function parseSearchRules(text: string): SearchRules {
  const rules: SearchRules = { domains: [], ndots: 1 };
  for (const line of text.split('\n')) {
    const [keyword, ...words] = (line.split(/[#;]/)[0] ?? '').trim().split(/\s+/);
    if (keyword === 'search' || keyword === 'domain') {
      rules.domains = words
        .map((word) => word.replace(/\.$/, ''))
        .filter((word) => word !== '' && word !== '.');
      rules.domains = rules.domains.slice(0, MAX_DOMAINS);
    }
    if (keyword !== 'options') continue;
    for (const word of words) {
      const ndots = /^ndots:(\d{1,3})$/.exec(word)?.[1];
      if (ndots !== undefined) rules.ndots = Math.min(Number(ndots), MAX_NDOTS);
    }
  }
  return rules;
}

/** A file that is read again when it has changed, and that is looked at no more often than each few seconds. */
export interface WatchedFile<T> {
  /** What the file says now; the parsed empty text where it cannot be read. `changed` since the last read. */
  read(): Promise<{ value: T; changed: boolean }>;
}

const LOOK_EVERY_MS = 5_000;

/** Follows a small file of the system. */
export function watchFile<T>(path: string | null, parse: (text: string) => T): WatchedFile<T> {
  let value = parse('');
  let lookedAt = Number.NEGATIVE_INFINITY;
  let mark: string | null = '';
  return {
    async read() {
      if (path === null || performance.now() - lookedAt < LOOK_EVERY_MS) return { value, changed: false };
      lookedAt = performance.now();
      const found = await stat(path).catch(() => null);
      const seen = found && `${found.mtimeMs} ${found.size} ${found.ino}`;
      if (seen === mark) return { value, changed: false };
      mark = seen;
      // A file that cannot be read says nothing: names then go to the DNS as they are.
      value = parse(found ? await readFile(path, 'utf8').catch(() => '') : '');
      return { value, changed: true };
    },
  };
}
