import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseSealingKeys, type SealingKey } from '../../../../src/core/secrets/keys.ts';
import { reseal } from '../../../../src/core/secrets/reseal.ts';
import { isSealed, keyIdOf, openConfig, sealConfig } from '../../../../src/core/secrets/seal.ts';

const keyText = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
function keysOf(text: string): SealingKey[] {
  const keys = parseSealingKeys(text);
  if (!keys) throw new Error('no keys');
  return keys;
}
const oldText = keyText('old');
const newText = keyText('new');
const both = keysOf(`${newText},${oldText}`);
const [newKey, oldKey] = both as [SealingKey, SealingKey];
const place = { serverId: 'server-1', tenantId: 'tenant-1' };
const secret = { bearerToken: 'tok-SECRET', custom: { env: { KEY: 'ü\u0000\ud83d\ude00' } } };
const sealed = () => ({ ...sealConfig(secret, newKey, place, randomBytes(12)) });

describe('keys', () => {
  it('are read with their ids, the first one first', () => {
    expect(both.map(({ id }) => id)).toEqual(['new', 'old']);
  });

  it('may be written in base64url, without padding', () => {
    const bytes = Buffer.alloc(32, 0xfb);
    expect(keysOf(`a:${bytes.toString('base64url')}`)[0]?.key.export()).toEqual(bytes);
  });

  it.each([
    '',
    'id',
    ':',
    `:${'A'.repeat(43)}`,
    'id:short',
    `a b:${'A'.repeat(43)}`,
    `id:${'A'.repeat(86)}`,
    `${oldText},`,
  ])('are none: %s', (text) => expect(parseSealingKeys(text)).toBeUndefined());

  it('have one id each', () => {
    expect(parseSealingKeys(`${oldText},${oldText}`)).toBeUndefined();
  });

  it('do not show themselves where they are printed', () => {
    const shown = inspect(both, { depth: 9 }) + JSON.stringify(both);
    for (const text of [oldText, newText]) expect(shown).not.toContain(text.split(':')[1]?.slice(0, 12));
  });
});

describe('a sealed value', () => {
  it('opens where it belongs, with its key among others', () => {
    expect(openConfig(sealed(), both, place)).toEqual({ authConfig: secret, keyId: 'new' });
    expect(openConfig(sealed(), [oldKey, newKey], place)).toMatchObject({ keyId: 'new' });
  });

  it('shows nothing of what is in it, and is another one each time', () => {
    const value = sealed();
    expect(JSON.stringify(value)).not.toMatch(/tok|SECRET|bearer/);
    expect(value.sealed).not.toBe(sealed().sealed);
    expect(keyIdOf(value)).toBe('new');
    expect(isSealed(value)).toBe(true);
    expect(isSealed(secret)).toBe(false);
  });

  it.each([
    ['of another server', { serverId: 'server-2', tenantId: 'tenant-1' }],
    ['of another tenant', { serverId: 'server-1', tenantId: 'tenant-2' }],
    ['without a tenant', { serverId: 'server-1', tenantId: null }],
    ['that mixes the two up', { serverId: 'tenant-1', tenantId: 'server-1' }],
  ])('does not open in a row %s', (_, elsewhere) => {
    expect(openConfig(sealed(), both, elsewhere)).toMatchObject({
      problem: expect.stringMatching(/does not open/),
    });
  });

  it('does not open once any character of it was changed', () => {
    const { sealed: text } = sealed();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'b', '7', '-', '.'), (at, char) => {
        const changed = text.slice(0, at) + char + text.slice(at + 1);
        // base64url has spare bits at the end of a part: another letter may mean the same bytes.
        const same = changed
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString('hex'))
          .join();
        const before = text
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString('hex'))
          .join();
        if (changed.split('.')[1] === 'new' && same === before) return;
        expect(openConfig({ sealed: changed }, both, place)).toHaveProperty('problem');
      }),
    );
  });

  it.each([
    [{ sealed: 5 }],
    [{ sealed: '' }],
    [{ sealed: 'v2.new.a.b.c' }],
    [{ sealed: 'v1.new.a.b' }],
    [{ sealed: `v1.new.${'A'.repeat(16)}..AAAA` }],
    [{ ...sealed(), custom: { headers: { host: 'elsewhere' } } }],
  ])('that is none is told, not thrown: %j', (value) => {
    expect(openConfig(value, both, place)).toHaveProperty('problem');
  });

  it('says which key is missing, and never a key', () => {
    expect(openConfig(sealed(), [oldKey], place)).toEqual({
      problem: 'it is sealed with the key new, which VITALS_SECRET_KEY lacks',
    });
    expect(openConfig(sealed(), [], place)).toEqual({
      problem: 'it is sealed, and VITALS_SECRET_KEY is not set',
    });
  });
});

describe('what is done with a stored value', () => {
  const newNonce = () => randomBytes(12);
  const plainText = JSON.stringify(secret);
  const byOld = JSON.stringify(sealConfig(secret, oldKey, place, newNonce()));
  const byNew = JSON.stringify(sealed());
  const work = (plain: boolean, stale: boolean, keys = both) => ({ keys, plain, stale, newNonce });

  test.each([
    ['seal, plain', plainText, work(true, false), { state: 'replaced', from: null }],
    ['seal, sealed by an old key', byOld, work(true, false), { state: 'kept', keyId: 'old' }],
    ['rotate, plain', plainText, work(false, true), { state: 'kept', keyId: null }],
    ['rotate, old', byOld, work(false, true), { state: 'replaced', from: 'old' }],
    ['rotate, new', byNew, work(false, true), { state: 'kept', keyId: 'new' }],
    ['check', byOld, work(false, false), { state: 'kept', keyId: 'old' }],
    ['no key for it', byNew, work(true, true, [oldKey]), { state: 'unreadable' }],
    ['no JSON', '{', work(true, true), { state: 'unreadable' }],
  ])('%s', (_, stored, rules, expected) => {
    const done = reseal(stored, place, rules);
    expect(done).toMatchObject(expected);
    if (done.state !== 'replaced') return;
    expect(openConfig(JSON.parse(done.text), both, place)).toEqual({ authConfig: secret, keyId: 'new' });
  });
});
