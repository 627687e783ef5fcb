import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../../src/core/policy.ts';
import type { Reason } from '../../../../src/core/reasons.ts';
import { anchorPlace } from '../../../../src/core/self-check/anchor-place.ts';
import {
  createFailureCount,
  explainsFailure,
  judgeSelf,
  mayBeOurs,
  type OfflineCause,
  type SelfFacts,
} from '../../../../src/core/self-check/judge-self.ts';

const FINE: SelfFacts = { anchors: [], dns: null, loopLagMs: 0, networkUp: true };

test.each<[what: string, facts: Partial<SelfFacts>, cause: OfflineCause | null]>([
  ['nothing configured, nothing wrong', {}, null],
  ['all anchors answer', { anchors: [true, true] }, null],
  ['one anchor answers', { anchors: [false, true] }, null],
  ['no anchor answers', { anchors: [false, false] }, 'anchors'],
  ['its DNS answers', { dns: true }, null],
  ['its DNS does not answer', { dns: false }, 'dns'],
  ['anchors answer, its DNS does not', { anchors: [true], dns: false }, 'dns'],
  ['no network', { networkUp: false }, 'network'],
  ['no network that shows, and an anchor that answers', { networkUp: false, anchors: [true] }, null],
  ['a loop that lags as much as it may', { loopLagMs: 2_000 }, null],
  ['a loop that lags', { loopLagMs: 2_001 }, 'loop'],
])('%s', (_, facts, cause) => {
  const judgement = judgeSelf({ ...FINE, ...facts }, DEFAULT_POLICY.selfCheck);
  expect(judgement).toMatchObject({ cause, offline: cause !== null });
  expect(judgement.because === null).toBe(cause === null);
});

describe('what explains which failure', () => {
  const explains = (cause: OfflineCause | null, reason: Reason, loopback = false) =>
    explainsFailure({ offline: cause !== null, cause, because: null }, { reason, loopback });
  test.each<[OfflineCause | null, Reason, boolean, boolean]>([
    [null, 'dns', false, false],
    ['anchors', 'dns', false, true],
    ['anchors', 'unreachable', false, true],
    ['anchors', 'refused', true, true],
    ['anchors', 'server_error', false, false],
    ['anchors', 'unauthenticated', false, false],
    ['dns', 'dns', false, true],
    ['network', 'timeout_connect', false, true],
    ['network', 'refused', true, false],
    ['loop', 'timeout_handshake', false, true],
    ['loop', 'timeout_list', true, true],
    ['loop', 'refused', false, false],
  ])('%s, %s, on loopback: %s → %s', (cause, reason, loopback, expected) => {
    expect(explains(cause, reason, loopback)).toBe(expected);
    // What could be ours is all that is ever looked at.
    if (expected) expect(mayBeOurs(reason)).toBe(true);
  });
});

test('servers that begin to fail are counted for a minute, and one that goes on failing is no news', () => {
  const count = createFailureCount(60_000);
  count.add('a', 0);
  count.add('b', 1_000);
  count.add('a', 30_000);
  expect([count.count(60_000), count.ids(60_000)]).toEqual([2, ['a', 'b']]);
  expect(count.ids(60_001)).toEqual(['b']);
  count.add('a', 60_001);
  expect(count.ids(60_001)).toEqual(['b']);
  count.remove('a');
  count.add('a', 60_002);
  expect(count.ids(60_002)).toEqual(['b', 'a']);
});

test.each([
  ['https://example.com/x', { host: 'example.com', port: 443 }],
  ['http://192.0.2.1', { host: '192.0.2.1', port: 80 }],
  ['example.com:853', { host: 'example.com', port: 853 }],
  ['[2001:db8::1]:53', { host: '2001:db8::1', port: 53 }],
  ['example.com', null],
  ['ftp://example.com', null],
  ['example.com:0', null],
  ['', null],
])('the anchor %s', (anchor, place) => {
  expect(anchorPlace(anchor)).toEqual(place);
});
