import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createResolver } from '../../../src/mcp/dns/resolver.ts';
import { EGRESS_CASES } from '../../fixtures/mcp-servers/hostile/egress-cases.ts';
import { startDns } from '../../support/dns-server.ts';
import { testCases, watchedProber } from '../../support/hostile.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of cleanups.splice(0).reverse()) await end();
});

describe('a way to the inner network', () => {
  testCases(watchedProber(), EGRESS_CASES, {});
});

describe('the resolver', () => {
  it('answers for good names while others are waited for in vain', async () => {
    const dns = await startDns(({ name, type }) =>
      name.startsWith('silent') ? 'silence' : type === 'A' ? ['192.0.2.1'] : ['2001:db8::1'],
    );
    cleanups.push(() => dns.stop());
    const resolver = createResolver({
      servers: [dns.address],
      hostsFile: null,
      resolvConf: null,
      system: null,
    });
    let settled = 0;
    const silent = Array.from({ length: 64 }, (_, index) =>
      resolver
        .resolve(`silent-${index}.example`, () => true)
        .catch((error) => {
          settled += 1;
          return error.code;
        }),
    );
    for (let count = 0; count < 10; count += 1) {
      const addresses = await resolver.resolve(`good-${count}.example`, () => true);
      expect(addresses.map(({ address }) => address)).toContain('192.0.2.1');
    }
    expect(settled).toBe(0);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(['EAI_AGAIN']));
  });

  it('asks the system for what the DNS does not know, one name at a time, and not for a probe that is over', async () => {
    const dns = await startDns(() => 'nxdomain');
    cleanups.push(() => dns.stop());
    const asked: string[] = [];
    let atOnce = 0;
    let most = 0;
    const resolver = createResolver({
      servers: [dns.address],
      hostsFile: null,
      resolvConf: null,
      async system(host) {
        asked.push(host);
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(5);
        atOnce -= 1;
        return [{ address: '192.0.2.9', family: 4 }];
      },
    });
    const names = ['printer.local', 'other.local', 'third.local'];
    const found = await Promise.all(names.map((name) => resolver.resolve(name, () => true)));
    expect(found.flat()).toHaveLength(3);
    expect(asked.sort()).toEqual([...names].sort());
    expect(most).toBe(1);
    await expect(resolver.resolve('late.local', () => false)).rejects.toMatchObject({ code: 'ECANCELLED' });
    expect(asked).toHaveLength(3);
  });
});
