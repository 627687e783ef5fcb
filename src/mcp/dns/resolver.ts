import { Resolver as DnsResolver, lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseHosts, parseSearchRules, watchFile } from './hosts-file.ts';
import { createLane } from './lane.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** Turns host names into addresses; rejects with an error that has Node's DNS codes. */
export interface Resolver {
  /** `isWanted` is asked before something that cannot be taken back is begun for a probe that is over. */
  resolve(host: string, isWanted: () => boolean): Promise<Address[]>;
}

export interface ResolverOptions {
  /** `host:port` of the DNS servers; those of the system unless told. */
  servers?: readonly string[];
  /** Files of the system, for tests; null: none. */
  hostsFile?: string | null;
  resolvConf?: string | null;
  /** Asks the system where DNS knows no such name; null: never. */
  system?: ((host: string) => Promise<Address[]>) | null;
}

/** A server that does not answer is asked twice, and costs a probe no more than this, whatever else it does. */
const QUERY_TIMEOUT_MS = 1_500;
const TRIES = 2;
/** After one family has answered, the other may be so much later. */
const OTHER_FAMILY_MS = 50;
/** libuv runs two lookups of the system at a time: the other one is for our own database and queue. */
const SYSTEM_LOOKUPS = 1;
const LOOPBACK: Address[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
/** The DNS says that there is no such name, or that nobody is there to be asked. */
const NEGATIVE = new Set(['ENOTFOUND', 'ENODATA', 'ENONAME', 'ECONNREFUSED', 'EBADNAME', 'EBADQUERY']);

const familyOf = (address: string): 4 | 6 => (isIP(address) === 6 ? 6 : 4);
const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '');
const dnsError = (code: string, host: string) =>
  Object.assign(new Error(`${host}: the name cannot be resolved (${code})`), { code });

const lookUpBySystem = async (host: string): Promise<Address[]> =>
  (await systemLookup(host, { all: true })).map(({ address }) => ({ address, family: familyOf(address) }));

/**
 * The resolver of a process that is sent to names which others chose. Node's lookup runs in a thread, two
 * names at a time: measured, eight names whose DNS servers are silent delay every other lookup of the
 * process, that of localhost too, by 40 s. This one asks the DNS over sockets of its own, after /etc/hosts
 * and with the search rules of resolv.conf; the system is asked for those names alone that the DNS does
 * not have (multicast DNS and the like), one at a time.
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  const { hostsFile = HOSTS_FILE, resolvConf = '/etc/resolv.conf', system = lookUpBySystem } = options;
  const hosts = watchFile(hostsFile, parseHosts);
  const rules = watchFile(resolvConf, parseSearchRules);
  const lane = createLane(SYSTEM_LOOKUPS);
  const newDns = () => {
    const resolver = new DnsResolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES });
    if (options.servers) resolver.setServers([...options.servers]);
    return resolver;
  };
  let dns = newDns();

  async function candidatesOf(host: string): Promise<string[]> {
    const { value, changed } = await rules.read();
    // The servers stand in the same file.
    if (changed) dns = newDns();
    if (host.endsWith('.')) return [host.slice(0, -1)];
    const searched = value.domains.map((domain) => `${host}.${domain}`);
    const dots = host.split('.').length - 1;
    return dots >= value.ndots ? [host, ...searched] : [...searched, host];
  }

  async function ask(host: string): Promise<Address[] | { code: string }> {
    let worst = 'ENOTFOUND';
    for (const name of await candidatesOf(host)) {
      const found = await askBoth(dns, name);
      if (Array.isArray(found)) return found;
      if (!NEGATIVE.has(found.code)) worst = 'EAI_AGAIN';
      // A server that is silent for one name of them is silent for all: no use waiting for each.
      if (found.code === 'ETIMEOUT') break;
    }
    return { code: worst };
  }

  return {
    async resolve(host, isWanted) {
      const name = host.toLowerCase();
      const bare = name.replace(/\.$/, '');
      const listed = (await hosts.read()).value.get(bare);
      if (listed) return listed.map((address) => ({ address, family: familyOf(address) }));
      if (bare === 'localhost' || bare.endsWith('.localhost')) return LOOPBACK;
      const found = await ask(name);
      if (Array.isArray(found)) return found;
      if (found.code !== 'ENOTFOUND' || system === null) throw dnsError(found.code, host);
      return await lane(isWanted, () => system(bare));
    },
  };
}

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';

/** Addresses of both families, those of IPv4 first; or the code of why there are none. */
async function askBoth(dns: DnsResolver, name: string): Promise<Address[] | { code: string }> {
  const one = async (family: 4 | 6): Promise<Address[] | { code: string }> => {
    try {
      const found = await (family === 4 ? dns.resolve4(name) : dns.resolve6(name));
      return found.map((address) => ({ address, family }));
    } catch (error) {
      return { code: codeOf(error) };
    }
  };
  const answers: (Address[] | { code: string })[] = [];
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    for (const family of [4, 6] as const) {
      void one(family).then((answer) => {
        answers[family === 4 ? 0 : 1] = answer;
        const count = answers.filter((given) => given !== undefined).length;
        if (count === 2) {
          clearTimeout(timer);
          resolve();
        } else if (Array.isArray(answer)) {
          timer = setTimeout(resolve, OTHER_FAMILY_MS);
        }
      });
    }
  });
  const addresses = answers.flatMap((answer) => (Array.isArray(answer) ? answer : []));
  if (addresses.length > 0) return addresses;
  const codes = answers.flatMap((answer) => (Array.isArray(answer) ? [] : [answer.code]));
  return { code: codes.find((code) => !NEGATIVE.has(code)) ?? codes[0] ?? 'ENOTFOUND' };
}
