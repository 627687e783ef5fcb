import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCycles } from '../../../../src/core/dependencies/cycles.ts';
import {
  type Dependency,
  type DependentServer,
  explainServers,
} from '../../../../src/core/dependencies/explain.ts';

/** `a` is well, `a!` is confirmed down, `a?` fails and is not confirmed yet. */
const server = (text: string): DependentServer => {
  const id = text.replace(/[!?]$/, '');
  return { id, name: id, failing: text.endsWith('!') || text.endsWith('?'), down: text.endsWith('!') };
};

/** `b>a` requires, `b~a` uses (optional), `b|a` falls back to. */
function dependency(text: string): Dependency {
  const [, serverId = '', sign = '', dependsOn = ''] = /^(\w+)([>~|])(\w+)$/.exec(text) ?? [];
  const type = sign === '>' ? 'required' : sign === '~' ? 'optional' : 'fallback';
  return { serverId, dependsOn, type };
}

function explain(servers: string, dependencies: string): Record<string, string> {
  const causes = explainServers(
    servers.split(' ').map(server),
    dependencies === '' ? [] : dependencies.split(' ').map(dependency),
  );
  return Object.fromEntries([...causes].map(([id, { serverId, type }]) => [id, `${type} ${serverId}`]));
}

describe('who is down because of whom', () => {
  test.each<[what: string, servers: string, dependencies: string, expected: Record<string, string>]>([
    ['nothing depends on it', 'a! b', '', {}],
    ['all are well', 'a b', 'b>a', {}],
    ['a required one is down', 'a! b', 'b>a', { b: 'required a' }],
    ['one that is unknown explains nothing', 'b', 'b>a', {}],
    ['a slip of a required one costs nobody else', 'a? b', 'b>a', {}],
    ['one that fails with it is explained by a slip, too', 'a? b?', 'b>a', { b: 'required a' }],
    ['one that is down is explained, too', 'a! b!', 'b>a', { b: 'required a' }],
    ['the root of a chain', 'a! b c d', 'b>a c>b d>c', { b: 'required a', c: 'required a', d: 'required a' }],
    ['the root of a chain that is down', 'a! b! c!', 'b>a c>b', { b: 'required a', c: 'required a' }],
    ['the nearest of several', 'a! b z! c', 'b>a c>b c>z', { b: 'required a', c: 'required z' }],
    ['the smallest of equally near ones', 'y! x! c', 'c>y c>x', { c: 'required x' }],
    ['an optional one', 'a! b', 'b~a', { b: 'optional a' }],
    ['what is degraded breaks nobody', 'a! b c', 'b~a c>b', { b: 'optional a' }],
    [
      'an optional one that is down because of another',
      'a! b c',
      'b>a c~b',
      { b: 'required a', c: 'optional a' },
    ],
    ['required goes before optional', 'a! b! c', 'c>b c~a', { c: 'required b' }],
    ['a fallback stands in', 'a! f c', 'c>a c|f', {}],
    ['a fallback that is not needed', 'a f! c', 'c>a c|f', {}],
    ['the fallback is down, too', 'a! f! c', 'c>a c|f', { c: 'fallback a' }],
    ['one of two fallbacks is left', 'a! f! g c', 'c>a c|f c|g', {}],
    [
      'a fallback that is down because of another',
      'a! f c',
      'c>a c|f f>a',
      { c: 'fallback a', f: 'required a' },
    ],
    ['fallbacks alone explain nothing', 'f! c', 'c|f', {}],
    ['a fallback masks an optional one', 'a! f c', 'c~a c|f', {}],
    ['a slip of the fallback still stands in', 'a! f? c', 'c>a c|f', {}],
    ['a cycle of the well', 'a b', 'a>b b>a', {}],
    ['a cycle with one that is down', 'a b! c', 'a>b b>c c>a', { a: 'required b', c: 'required b' }],
    ['a cycle of two that are down', 'a! b!', 'a>b b>a', { b: 'required a' }],
    ['a cycle behind another', 'c! d! a!', 'c>d d>c a>d', { d: 'required c', a: 'required c' }],
    [
      'a cycle that is down because of a server outside',
      'x! a b',
      'a>b b>a a>x',
      { a: 'required x', b: 'required x' },
    ],
    ['a cycle and a nearer root outside', 'x! a! b!', 'a>b b>a b>x', { a: 'required x', b: 'required x' }],
    ['itself', 'a!', 'a>a', {}],
    ['the two ways round a cycle of optional ones', 'a! b', 'a~b b~a', { b: 'optional a' }],
  ])('%s', (_, servers, dependencies, expected) => {
    expect(explain(servers, dependencies)).toEqual(expected);
  });

  test('a chain of 10,000 and a cycle of 10,000 servers', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `s${String(index).padStart(5, '0')}`);
    const chain = ids
      .slice(1)
      .map((id, index): Dependency => ({ serverId: id, dependsOn: ids[index] ?? '', type: 'required' }));
    const servers = ids.map((id, index) => ({ id, name: id, failing: index === 0, down: index === 0 }));
    const causes = explainServers(servers, chain);
    expect(causes.size).toBe(9_999);
    expect(causes.get('s09999')).toEqual({ serverId: 's00000', name: 's00000', type: 'required' });
    const ring: Dependency[] = [...chain, { serverId: 's00000', dependsOn: 's09999', type: 'required' }];
    expect(explainServers(servers, ring)).toEqual(causes);
    expect(findCycles(ring)).toEqual([ids]);
  });
});

const graph = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);
  const id = fc.constantFrom(...ids);
  return fc.record({
    servers: fc.tuple(
      ...ids.map((name) => fc.constantFrom('', '!', '?').map((state) => server(name + state))),
    ),
    dependencies: fc.array(
      fc.record({
        serverId: id,
        dependsOn: id,
        type: fc.constantFrom<Dependency['type'][]>('required', 'optional', 'fallback'),
      }),
      { maxLength: 40 },
    ),
  });
});

describe('any graph at all', () => {
  test('ends, whatever the order of its rows, in the same causes, each of them a server that fails itself', () => {
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.nat()), ({ servers, dependencies }, numbers) => {
        const causes = explainServers(servers, dependencies);
        const shuffled = <Item>(items: readonly Item[]): Item[] =>
          items
            .map((item) => ({ item, place: Number(numbers.next().value) }))
            .sort((a, b) => a.place - b.place)
            .map(({ item }) => item);
        const again = explainServers(shuffled(servers), shuffled(dependencies));
        expect([...again].sort()).toEqual([...causes].sort());
        for (const [id, { serverId, type }] of causes) {
          const root = servers.find((candidate) => candidate.id === serverId);
          expect(serverId).not.toBe(id);
          expect(root?.failing).toBe(true);
          // Who explains others as required is itself at the end of the chain.
          const ofRoot = causes.get(serverId);
          expect(
            ofRoot === undefined || ofRoot.type === 'optional',
            `${id} because of ${serverId} (${type})`,
          ).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('without a server that fails nobody is explained', () => {
    fc.assert(
      fc.property(graph, ({ servers, dependencies }) => {
        const well = servers.map((one) => ({ ...one, failing: false, down: false }));
        expect(explainServers(well, dependencies).size).toBe(0);
      }),
    );
  });
});

test('cycles: each once, by its members, in order', () => {
  const cycles = (text: string) => findCycles(text.split(' ').map(dependency));
  expect(cycles('a>b b>c')).toEqual([]);
  expect(cycles('c>a a>b b>c x>a')).toEqual([['a', 'b', 'c']]);
  expect(cycles('z>y y>z a>a b~a')).toEqual([['a'], ['y', 'z']]);
  expect(cycles('a~b b|a')).toEqual([['a', 'b']]);
});
