import { describe, expect, test } from 'vitest';
import {
  continueIncident,
  type FailingServer,
  FEW_FOR_MS,
  findGroups,
  type Part,
} from '../../../../src/core/incidents/group.ts';
import { sharedPartsOf } from '../../../../src/core/incidents/parts-of.ts';
import { createSharesToAsk } from '../../../../src/core/incidents/whom-to-ask.ts';

const POLICY = { withinMs: 60_000, minServers: 3 };

/** `h1.a.test@10` began to fail at second 10; `?` in front: not confirmed. */
function failing(text: string): FailingServer {
  const [, slip, host = '', seconds = '0'] = /^(\??)([^@]+)@(\d+)$/.exec(text) ?? [];
  const domain = host.split('.').slice(-2).join('.');
  return {
    id: text,
    name: text,
    sinceMs: Number(seconds) * 1000,
    confirmed: slip === '',
    shared: { host, domain, certificateIssuer: 'CA', tokenIssuer: null },
  };
}

const found = (servers: string, healthy: Partial<Record<`${Part} ${string}`, number>> = {}) => {
  const all = servers.split(' ').map(failing);
  const countOf = (part: Part, value: string) =>
    all.filter(({ shared }) => shared[part] === value).length + (healthy[`${part} ${value}`] ?? 0);
  return findGroups(all, countOf, POLICY).map(
    ({ part, value, members }) => `${part} ${value}: ${members.map(({ id }) => id).join(' ')}`,
  );
};

describe('what failed together', () => {
  test.each<[what: string, servers: string, healthy: Parameters<typeof found>[1], expected: string[]]>([
    ['too few', 'x.a@1 x.a@2', {}, []],
    ['a host', 'x.a@1 x.a@2 x.a@3', {}, ['host x.a: x.a@1 x.a@2 x.a@3']],
    ['too far apart', 'x.a@1 x.a@40 x.a@80', {}, []],
    [
      'the largest part that is near enough',
      'x.a@1 x.a@70 x.a@80 x.a@90',
      {},
      ['host x.a: x.a@70 x.a@80 x.a@90'],
    ],
    ['not confirmed by any', '?x.a@1 ?x.a@2 ?x.a@3', {}, []],
    ['confirmed by one', '?x.a@1 x.a@2 ?x.a@3', {}, ['host x.a: ?x.a@1 x.a@2 ?x.a@3']],
  ])('%s', (_, servers, healthy, expected) => {
    expect(found(servers, healthy)).toEqual(expected);
  });

  test('the thing that most share wins, of equal ones the more specific, and whom it takes belongs to no other', () => {
    expect(found('x.a.t@1 x.a.t@2 x.a.t@3 y.a.t@4')).toEqual(['domain a.t: x.a.t@1 x.a.t@2 x.a.t@3 y.a.t@4']);
    expect(found('x.a.t@1 x.a.t@2 x.a.t@3', { 'certificateIssuer CA': 2 })).toEqual([
      'host x.a.t: x.a.t@1 x.a.t@2 x.a.t@3',
    ]);
    const two = 'x.a.t@1 x.a.t@2 x.a.t@3 x.a.t@4 y.b.t@1 y.b.t@2 y.b.t@3';
    expect(found(two, { 'certificateIssuer CA': 100 })).toEqual([
      'host x.a.t: x.a.t@1 x.a.t@2 x.a.t@3 x.a.t@4',
      'host y.b.t: y.b.t@1 y.b.t@2 y.b.t@3',
    ]);
  });

  test('what most of the fleet shares and is well with is not to blame', () => {
    const few = { 'host x.a.t': 4, 'domain a.t': 4, 'certificateIssuer CA': 4 } as const;
    expect(found('x.a.t@1 x.a.t@2 x.a.t@3', few)).toEqual([]);
    const half = { 'host x.a.t': 3, 'domain a.t': 4, 'certificateIssuer CA': 4 } as const;
    expect(found('x.a.t@1 x.a.t@2 x.a.t@3', half)).toEqual(['host x.a.t: x.a.t@1 x.a.t@2 x.a.t@3']);
  });
});

describe('an incident that is under way', () => {
  const open = { part: 'host', value: 'x.a', sinceMs: 100_000, fewSinceMs: null } as const;
  const at = (seconds: number) => failing(`x.a@${seconds}`);
  test('takes in those that fail later, and not those that failed long before', () => {
    const servers = [at(30), at(100), at(110), at(500), failing('y.a@100')];
    const { members, over, fewSinceMs } = continueIncident(open, servers, POLICY, 600_000);
    expect([members.map(({ sinceMs }) => sinceMs), over, fewSinceMs]).toEqual([
      [100_000, 110_000, 500_000],
      false,
      null,
    ]);
  });

  test('ends when all are well', () => {
    expect(continueIncident(open, [], POLICY, 600_000)).toMatchObject({ members: [], over: true });
  });

  test('ends when too few have been failing for a while, and not sooner', () => {
    const few = [at(100), at(110)];
    expect(continueIncident(open, few, POLICY, 600_000)).toMatchObject({ over: false, fewSinceMs: 600_000 });
    const later = { ...open, fewSinceMs: 600_000 };
    expect(continueIncident(later, few, POLICY, 600_000 + FEW_FOR_MS - 1)).toMatchObject({
      over: false,
      fewSinceMs: 600_000,
    });
    expect(continueIncident(later, few, POLICY, 600_000 + FEW_FOR_MS)).toMatchObject({ over: true });
    expect(continueIncident(later, [...few, at(700)], POLICY, 700_000)).toMatchObject({
      over: false,
      fewSinceMs: null,
    });
  });
});

describe('what a server shares', () => {
  const parts = (hostKey: string, authConfig: unknown = null, certificateIssuer: string | null = null) =>
    sharedPartsOf({ hostKey, authConfig, certificateIssuer });
  test.each([
    ['mcp.api.example.co.uk', 'mcp.api.example.co.uk', 'example.co.uk'],
    ['me.github.io', 'me.github.io', 'me.github.io'],
    ['192.0.2.7', '192.0.2.7', null],
    ['[2001:db8::1]', '[2001:db8::1]', null],
    ['127.0.0.1:3000', '127.0.0.1:3000', null],
    ['localhost:3000', 'localhost:3000', null],
    ['stdio', null, null],
    ['server abc', null, null],
    ['', null, null],
  ])('%s: the host %s, the domain %s', (hostKey, host, domain) => {
    expect(parts(hostKey)).toEqual({ host, domain, certificateIssuer: null, tokenIssuer: null });
  });

  test('issuers, of whatever the columns hold', () => {
    const issuer = (value: unknown) => parts('a.test', { oauth: { issuer: value } }).tokenIssuer;
    expect(issuer('https://login.example.com/realm/')).toBe('https://login.example.com/realm');
    expect(issuer('https://user:secret@login.example.com?key=secret')).toBe('https://login.example.com');
    expect(
      ['', 'no url', 7, null, {}, 'javascript:alert(1)', `https://a.test/${'x'.repeat(500)}`].map(issuer),
    ).toEqual(Array.from({ length: 7 }, () => null));
    expect([null, 7, [], { oauth: 'x' }].map((config) => parts('a.test', config).tokenIssuer)).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(parts('a.test', null, ' Some CA ').certificateIssuer).toBe('Some CA');
  });
});

describe('whom to ask when something fails', () => {
  const ask = (sharesToAsk: ReturnType<typeof createSharesToAsk>, servers: string, nowMs: number) =>
    sharesToAsk(servers === '' ? [] : servers.split(' ').map(failing), POLICY, nowMs)
      .map(({ part, value, ask }) => `${part} ${value} ${ask}`)
      .sort();

  test('whoever shares anything with one that has just begun to fail, once a minute', () => {
    const sharesToAsk = createSharesToAsk();
    const all = ['certificateIssuer CA 10', 'domain a.test 10', 'host x.a.test 10'];
    expect(ask(sharesToAsk, '?x.a.test@100', 101_000)).toEqual(all);
    expect(ask(sharesToAsk, '?x.a.test@100', 102_000)).toEqual([]);
    // Another host of the domain: only that is new.
    expect(ask(sharesToAsk, '?x.a.test@100 ?y.a.test@110', 111_000)).toEqual(['host y.a.test 10']);
    expect(ask(sharesToAsk, '?y.a.test@160', 161_000)).toEqual(all.slice(0, 2));
  });

  test('more with each that joins, once it may be an incident', () => {
    const sharesToAsk = createSharesToAsk();
    ask(sharesToAsk, 'x.a@1', 1_000);
    expect(ask(sharesToAsk, 'x.a@1 x.a@2', 2_000)).toEqual([]);
    const ofHost = (servers: string, nowMs: number) =>
      ask(sharesToAsk, servers, nowMs).filter((share) => share.startsWith('host'));
    expect(ofHost('x.a@1 x.a@2 x.a@3', 3_000)).toEqual(['host x.a 20']);
    expect(ofHost('x.a@1 x.a@2 x.a@3', 4_000)).toEqual([]);
    expect(ofHost('x.a@1 x.a@2 x.a@3 x.a@4', 5_000)).toEqual(['host x.a 10']);
    const many = Array.from({ length: 60 }, (_, place) => `x.a@${place}`).join(' ');
    expect(ofHost(many, 60_000)).toEqual(['host x.a 100']);
  });

  test('nobody about what has failed for long', () => {
    expect(ask(createSharesToAsk(), 'x.a@1 x.a@2 x.a@3', 200_000)).toEqual([]);
    expect(ask(createSharesToAsk(), '', 0)).toEqual([]);
  });
});
