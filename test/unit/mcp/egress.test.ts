import { describe, expect, it } from 'vitest';
import { createEgressPolicy } from '../../../src/mcp/egress.ts';

const strict = (...allow: string[]) => createEgressPolicy({ mode: 'strict', allow });

describe('the strict egress policy', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '168.63.129.16',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:1::',
    '2001:db8::1',
    '100.100.100.200',
    '64:ff9b:1::8.8.8.8',
    '2001:0:4136:e378::1',
    '2606:4700::5efe:10.0.0.1',
    '2606:4700::200:5efe:a9fe:a9fe',
    '::ffff:0:10.0.0.1',
    '100:0:0:1::1',
    '3fff::1',
    '5f00::1',
    'fec0::1',
    '4000::1',
    'not an address',
  ])('denies %s', (address) => {
    expect(strict().check('host.example', address)).toEqual(expect.any(String));
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '100.128.0.1',
    '2606:4700::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '223.255.255.255',
  ])('lets %s through', (address) => {
    expect(strict().check('host.example', address)).toBeNull();
  });

  it('lets through what is allowed by host, whatever its address', () => {
    const policy = strict('Internal.Example', 'localhost');
    expect(policy.check('internal.example', '10.0.0.1')).toBeNull();
    expect(policy.check('INTERNAL.example.', '10.0.0.1')).toBeNull();
    expect(policy.check('other.example', '10.0.0.1')).not.toBeNull();
    expect(policy.check('sub.internal.example', '10.0.0.1')).not.toBeNull();
  });

  it('lets through what is allowed by network or address, also where IPv6 wraps it', () => {
    const policy = strict('10.0.0.0/8', '192.168.7.7', 'fd00::/8', '[::1]');
    for (const address of ['10.9.9.9', '192.168.7.7', 'fd12::1', '::1', '::ffff:10.1.1.1']) {
      expect(policy.check('any.example', address), address).toBeNull();
    }
    for (const address of ['11.0.0.1', '127.0.0.1', '192.168.7.8', 'fc00::1']) {
      const denied = address !== '11.0.0.1';
      expect(policy.check('any.example', address) !== null, address).toBe(denied);
    }
  });

  it('says why', () => {
    expect(strict().check('metadata', '169.254.169.254')).toBe('169.254.169.254 is a link-local address');
  });
});

it('the open egress policy lets everything through', () => {
  expect(createEgressPolicy({ mode: 'open', allow: [] }).check('localhost', '127.0.0.1')).toBeNull();
});
