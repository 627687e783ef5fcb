import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseHosts, parseSearchRules } from '../../../../src/mcp/dns/hosts-file.ts';
import { createResolver } from '../../../../src/mcp/dns/resolver.ts';

test('names of a hosts file', () => {
  const hosts = parseHosts(
    '127.0.0.1 localhost\n# 10.0.0.1 off\n10.0.0.2\tDB.internal db # the database\n::1 localhost\nnonsense here\n\nfe80::1%lo0 localhost',
  );
  expect(Object.fromEntries(hosts)).toEqual({
    localhost: ['127.0.0.1', '::1', 'fe80::1%lo0'],
    'db.internal': ['10.0.0.2'],
    db: ['10.0.0.2'],
  });
});

test.each([
  ['', { domains: [], ndots: 1 }],
  [
    'search a.example b.example.\noptions ndots:5 timeout:1',
    { domains: ['a.example', 'b.example'], ndots: 5 },
  ],
  ['domain one\nsearch two # not this\noptions ndots:99', { domains: ['two'], ndots: 15 }],
  ['search .', { domains: [], ndots: 1 }],
])('search rules of %j', (text, rules) => {
  expect(parseSearchRules(text)).toEqual(rules);
});

test('a name of the hosts file is asked of nobody', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitals-hosts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const hostsFile = join(folder, 'hosts');
  writeFileSync(hostsFile, '192.0.2.5 Printer\n');
  const resolver = createResolver({
    servers: ['127.0.0.1:1'],
    hostsFile,
    resolvConf: null,
    system: () => expect.fail('the system was asked'),
  });
  expect(await resolver.resolve('printer', () => true)).toEqual([{ address: '192.0.2.5', family: 4 }]);
  expect(await resolver.resolve('a.localhost', () => true)).toHaveLength(2);
});
