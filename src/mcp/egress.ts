import { BlockList, isIP } from 'node:net';

/** Decides whether a connection may be made; asked after DNS, once for each address. */
export interface EgressPolicy {
  /** Whether `address` (which `host` resolved to) may be connected to, and why or why not. */
  judge(host: string, address: string): EgressJudgement;
  /** null when `address` (which `host` resolved to) may be connected to, else why not. */
  check(host: string, address: string): string | null;
}

export interface EgressJudgement {
  permitted: boolean;
  /** About the address: `10.1.2.3 is a private address`. */
  why: string;
}

/** Networks that a public target has no business in, by what they are. */
const PRIVATE: ReadonlyArray<readonly [what: string, networks: readonly string[]]> = [
  ['a loopback address', ['127.0.0.0/8', '::1/128']],
  ['an unspecified address', ['0.0.0.0/8', '::/128']],
  ['a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10']],
  ['a link-local address', ['169.254.0.0/16', 'fe80::/10']],
  ['a carrier-grade NAT address', ['100.64.0.0/10']],
  ['an address of the cloud platform itself', ['168.63.129.16/32']],
  ['a multicast address', ['224.0.0.0/4', 'ff00::/8']],
  [
    'a reserved address',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.88.99.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
      '100::/64',
      '100:0:0:1::/64',
      '2001::/23',
      '2001:db8::/32',
      '3fff::/20',
      '5f00::/16',
    ],
  ],
  // How an address of a local NAT64 holds the one behind it is known to its own network alone.
  ['an address of a local NAT64', ['64:ff9b:1::/48']],
];

/** All that IPv6 has given out for public use; the forms that wrap an IPv4 address are judged by that. */
const PUBLIC_IPV6 = '2000::/3';

/** IPv6 ranges whose last (or middle) bits are an IPv4 address, which is then what is judged. */
function embeddedIpv4(address: string): string | null {
  const words = ipv6Words(address);
  if (!words) return null;
  const at = (index: number) => words[index] ?? 0;
  const quad = (high: number, low: number) =>
    [at(high) >> 8, at(high) & 255, at(low) >> 8, at(low) & 255].join('.');
  const leading = words.slice(0, 5).every((word) => word === 0);
  if (leading && at(5) === 0xffff) return quad(6, 7);
  if (leading && at(5) === 0 && (at(6) !== 0 || at(7) > 1)) return quad(6, 7);
  if (words.slice(0, 4).every((word) => word === 0) && at(4) === 0xffff && at(5) === 0) return quad(6, 7);
  if (at(0) === 0x64 && at(1) === 0xff9b) return quad(6, 7);
  if (at(0) === 0x2002) return quad(1, 2);
  // ISATAP: a tunnel to the IPv4 address that the interface is named after, below any prefix.
  if ((at(4) === 0 || at(4) === 0x200) && at(5) === 0x5efe) return quad(6, 7);
  return null;
}

/** The eight 16-bit groups of an IPv6 address, or null. */
function ipv6Words(address: string): number[] | null {
  const bare = address.split('%')[0] ?? '';
  if (isIP(bare) !== 6) return null;
  const quad = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare);
  const text = quad
    ? `${quad[1]}${hex(Number(quad[2]), Number(quad[3]))}:${hex(Number(quad[4]), Number(quad[5]))}`
    : bare;
  const [head = '', tail] = text.split('::');
  const group = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  if (tail === undefined) return group(head);
  const [before, after] = [group(head), group(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

const hex = (high: number, low: number) => ((high << 8) | low).toString(16);

function addNetwork(list: BlockList, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const version = isIP(address);
  if (version === 0) return false;
  const width = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? width : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > width) return false;
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * `open` lets everything through. `strict` denies every address that is not public, unless the host is
 * named in `allow`, or a network (CIDR or single address) in it holds the address.
 */
export function createEgressPolicy(config: { mode: 'open' | 'strict'; allow: string[] }): EgressPolicy {
  const judge = config.mode === 'open' ? judgeNothing : createStrictJudge(config.allow);
  return {
    judge,
    check(host, address) {
      const { permitted, why } = judge(host, address);
      return permitted ? null : why;
    },
  };
}

function judgeNothing(_host: string, address: string): EgressJudgement {
  return { permitted: true, why: `${address} is permitted: the policy is open` };
}

function createStrictJudge(allow: readonly string[]): EgressPolicy['judge'] {
  const hosts = new Set<string>();
  const allowed = new BlockList();
  for (const entry of allow) {
    const text = entry
      .trim()
      .toLowerCase()
      .replace(/^\[|\]$/g, '');
    if (text !== '' && !addNetwork(allowed, text)) hosts.add(text);
  }
  const denied = PRIVATE.map(([what, networks]) => {
    const list = new BlockList();
    for (const network of networks) addNetwork(list, network);
    return { what, list };
  });
  const publicIpv6 = new BlockList();
  addNetwork(publicIpv6, PUBLIC_IPV6);

  return (host, address) => {
    const name = host
      .toLowerCase()
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '');
    const bare = address.split('%')[0] ?? address;
    const refuse = (why: string) => ({ permitted: false, why: `${bare} ${why}` });
    if (hosts.has(name)) return { permitted: true, why: `${name} is in VITALS_EGRESS_ALLOW` };
    if (isIP(bare) === 0) return { permitted: false, why: `${address} is no address` };
    const inner = embeddedIpv4(bare);
    if (allowed.check(bare, family(bare)) || (inner !== null && allowed.check(inner, 'ipv4')))
      return { permitted: true, why: `${bare} is in VITALS_EGRESS_ALLOW` };
    for (const judged of inner === null ? [bare] : [bare, inner]) {
      for (const { what, list } of denied)
        if (list.check(judged, family(judged))) return refuse(`is ${what}`);
    }
    if (family(bare) === 'ipv6' && inner === null && !publicIpv6.check(bare, 'ipv6'))
      return refuse('is not a public address');
    return { permitted: true, why: `${bare} is a public address` };
  };
}
