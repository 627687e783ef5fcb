import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/config/policy-file.ts';
import { HEALTH_ALERTS } from '../../../src/core/health/memory.ts';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';

const page = readFileSync(new URL('../../../docs/health.md', import.meta.url), 'utf8');

test('the policy of the page names every default of its sections, as they are', () => {
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const { health, latency, slo } = DEFAULT_POLICY;
  expect(parsePolicy('page', text)).toEqual(DEFAULT_POLICY);
  for (const name of [health, health.flapping, latency, slo].flatMap((section) => Object.keys(section)))
    expect(text).toContain(`${name}:`);
});

test('the page explains every alert', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (?:error|warning) /gm)].map((match) => match[1]);
  expect(rows).toEqual([...HEALTH_ALERTS]);
});
