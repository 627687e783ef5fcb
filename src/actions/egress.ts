import { isIP } from 'node:net';
import type { EgressReport } from '../cli/actions.ts';
import { createResolver } from '../mcp/dns/resolver.ts';
import { createEgressPolicy } from '../mcp/egress.ts';
import type { ActionContext } from './context.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'ws:': 80,
  'https:': 443,
  'wss:': 443,
};

/** What a probe of `url` would meet, by the resolver and the policy that probes use. */
export async function checkEgress(
  context: ActionContext,
  { url: text, strict }: { url: string; strict: boolean },
): Promise<EgressReport> {
  const url = new URL(text);
  const { egress } = context.config();
  const mode = strict ? 'strict' : egress.mode;
  const policy = createEgressPolicy({ mode, allow: egress.allow });
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const report = {
    url: `${url.protocol}//${url.host}${url.pathname}`,
    host,
    port: url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port),
    mode,
  };
  const found = await addressesOf(host);
  if ('problem' in found) return { ...report, permitted: false, why: found.problem, addresses: [] };
  const addresses = found.addresses.map((address) => ({ address, ...policy.judge(host, address) }));
  const first = addresses.find(({ permitted }) => permitted);
  const why = first?.why ?? addresses[0]?.why ?? 'it has no address';
  return { ...report, permitted: first !== undefined, why, addresses };
}

async function addressesOf(host: string): Promise<{ addresses: string[] } | { problem: string }> {
  if (isIP(host) !== 0) return { addresses: [host] };
  try {
    const found = await createResolver().resolve(host, () => true);
    return { addresses: found.map(({ address }) => address) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
