import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SETTING_NAMES, SETTINGS } from '../../../src/core/settings/known-settings.ts';
import { PARTITIONED_TABLES } from '../../../src/db/partitions/partitioned-tables.ts';

const page = readFileSync(new URL('../../../docs/storage.md', import.meta.url), 'utf8');

test('the page has every setting with its default', () => {
  const rows = [...page.matchAll(/^\| `(vitals\.\w+\.\w+)` \| (\d+) \|$/gm)].map(([, key, days]) => [
    key,
    Number(days),
  ]);
  expect(rows).toEqual(SETTING_NAMES.map((name) => [SETTINGS[name].key, SETTINGS[name].defaultValue]));
});

test('the page has every partitioned table as it is partitioned', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| a (week|month) \|/gm)].map(
    ([, table, time, every]) => ({
      table,
      time,
      every,
    }),
  );
  expect(rows).toEqual(PARTITIONED_TABLES);
});
