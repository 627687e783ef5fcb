import { describe, expect, it } from 'vitest';
import {
  cleanUrl,
  connectionOptions,
  describeDatabase,
  parseDatabaseUrl,
} from '../../../src/db/connection-options.ts';
import { DatabaseUrlError } from '../../../src/db/errors.ts';

const tls = (query: string) =>
  connectionOptions(`postgres://u:p@db.example/x${query}`, {
    poolSize: 20,
    applicationName: 'test',
    onNotice: () => undefined,
  }).ssl;

describe('sslmode', () => {
  it.each([
    ['', false],
    ['?sslmode=disable', false],
    ['?sslmode=allow', 'prefer'],
    ['?sslmode=prefer', 'prefer'],
    ['?sslmode=require', 'require'],
    ['?ssl=true', 'require'],
  ])('%s is %s', (query, expected) => {
    expect(tls(query)).toEqual(expected);
  });

  it('verify-full checks the chain and the name, verify-ca the chain alone', () => {
    expect(tls('?sslmode=verify-full')).toEqual({ rejectUnauthorized: true });
    const chain = tls('?sslmode=verify-ca');
    expect(chain).toMatchObject({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function) });
  });

  it('refuses a mode that does not exist', () => {
    expect(() => tls('?sslmode=sometimes')).toThrow(/sslmode=sometimes.*verify-full/);
  });
});

describe('a database URL', () => {
  it('loses what is libpq’s own before it reaches the server', () => {
    expect(cleanUrl('postgres://u:p@h/x?sslmode=require&channel_binding=require&options=-cgeqo%3Doff')).toBe(
      'postgres://u:p@h/x?options=-cgeqo%3Doff',
    );
  });

  it('is described without user and password', () => {
    expect(describeDatabase('postgres://someone:secret@db.example:6543/vitals?sslmode=require')).toBe(
      'db.example:6543/vitals',
    );
    expect(describeDatabase('postgres:///vitals?host=/run/postgresql')).toBe('/run/postgresql:5432/vitals');
  });

  it.each(['', 'nonsense', 'mysql://u:secret@h/x'])('%j is refused, and not repeated', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(DatabaseUrlError);
    expect(() => parseDatabaseUrl(url)).not.toThrow(/secret/);
  });

  it('sets the pool, the time-outs and the application’s name', () => {
    expect(
      connectionOptions('postgres://h/x', { poolSize: 7, applicationName: 'me', onNotice: () => undefined }),
    ).toMatchObject({ max: 7, idle_timeout: 30, prepare: true, connection: { application_name: 'me' } });
  });
});
