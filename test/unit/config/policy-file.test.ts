import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/config/policy-file.ts';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';

const problemOf = (text: string): string => {
  try {
    parsePolicy('policy.yaml', text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

describe('a policy file', () => {
  test('may be empty, and is the defaults then', () => {
    expect(parsePolicy('policy.yaml', '')).toEqual(DEFAULT_POLICY);
    expect(parsePolicy('policy.yaml', 'health: {}\n')).toEqual(DEFAULT_POLICY);
  });

  test('changes what it names and nothing else', () => {
    const policy = parsePolicy('policy.yaml', 'health:\n  failuresToDown: 5\n');
    expect(policy).toEqual({ ...DEFAULT_POLICY, health: { ...DEFAULT_POLICY.health, failuresToDown: 5 } });
  });

  test('is refused with every problem and its line', () => {
    const told = problemOf('health:\n  failuresToDown: 0\n  nonsense: 1\nslo:\n  objective: 99.5\n');
    expect(told).toMatch(/^policy\.yaml:2:19: health\.failuresToDown: /m);
    expect(told).toMatch(/^policy\.yaml:2:\d+: health: .*nonsense/m);
    expect(told).toMatch(/^policy\.yaml:5:14: slo\.objective: /m);
  });

  test.each([
    ['health: [', /^policy\.yaml:1:\d+: /],
    ['health:\n  failuresToDown: 1\n  failuresToDown: 2\n', /^policy\.yaml:3:3: .*unique/],
    ['- 1\n', /^policy\.yaml:1:1: /],
    [`a: &a [x, x, x, x, x, x, x, x, x]\n${'b'.repeat(2 * 1024 * 1024)}`, /longer than/],
    [
      "maintenance:\n  - title: nightly\n    cron: '0 25 * * *'\n    durationMs: 3600000\n",
      /^policy\.yaml:3:11: maintenance\[0\]\.cron: is no cron expression: hour: 25 is not allowed/,
    ],
    [
      "maintenance:\n  - title: nightly\n    cron: '30 2 * * *'\n    timeZone: Europe/Berlim\n    durationMs: 3600000\n",
      /^policy\.yaml:4:15: maintenance\[0\]\.timeZone: is no time zone that is known here/,
    ],
    [
      "maintenance:\n  - title: nightly\n    cron: '30 2 * * *'\n    durationMs: -1\n",
      /^policy\.yaml:4:17: maintenance\[0\]\.durationMs: /,
    ],
    ['selfCheck:\n  anchors: [nowhere]\n', /^policy\.yaml:2:13: selfCheck\.anchors\[0\]: is neither a URL/],
    ['health:\n  flapping: { startShare: 0.2, stopShare: 0.4 }\n', /^policy\.yaml:2:13: .*below startShare/],
  ])('%j is refused', (text, expected) => {
    expect(problemOf(text)).toMatch(expected);
  });
});
