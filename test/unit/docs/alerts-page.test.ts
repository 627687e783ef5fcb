import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAlerts } from '../../../src/config/alerts-file.ts';
import { ALERT_KINDS } from '../../../src/core/alerts/alert.ts';
import { NO_ALERTS } from '../../../src/core/alerts/alerts-config.ts';
import { HOLD_REASONS } from '../../../src/core/alerts/reason-to-hold.ts';
import { signBody } from '../../../src/notify/sign.ts';
import { messageOf } from '../../support/messages.ts';

const page = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
const examples = blocksOf('yaml').map((text) => ({
  text,
  alerts: parseAlerts('docs/alerts.md', text, (name) =>
    name.endsWith('URL')
      ? `${name === 'SMTP_URL' ? 'smtp' : 'https'}://h.example/${name}`
      : `the value of ${name}`,
  ),
}));

describe('docs/alerts.md', () => {
  test('every example can be used, and there is one of each type of channel', () => {
    const types = examples.flatMap(({ alerts }) => [...alerts.channels.values()].map(({ type }) => type));
    expect(new Set(types)).toEqual(
      new Set(['webhook', 'slack', 'email', 'pagerduty', 'alertmanager', 'apprise']),
    );
  });

  test('the timing of the first example is the default', () => {
    const [first] = examples;
    expect({ ...first?.alerts.fallback, channels: [] }).toEqual(NO_ALERTS.fallback);
  });

  test('names every kind of alert, and every reason to hold one that a reader can meet', () => {
    for (const kind of ALERT_KINDS) expect(page).toContain(`\`${kind}\``);
    for (const reason of HOLD_REASONS.filter((code) => code !== 'grouping' && code !== 'no_route'))
      expect(page).toContain(`\`${reason}\``);
  });

  test('the webhook’s message has the fields of the page', () => {
    const [example = '{}'] = blocksOf('json');
    const shown = JSON.parse(example) as Record<string, unknown> & { alerts: object[] };
    const sent = messageOf();
    expect(Object.keys(shown).sort()).toEqual(['id', ...Object.keys(sent)].sort());
    expect(Object.keys(shown.alerts[0] ?? {}).sort()).toEqual(Object.keys(sent.alerts[0] ?? {}).sort());
  });

  test('the receiver’s check of a signature takes ours and no other', async () => {
    const [code = ''] = blocksOf('js');
    const url = `data:text/javascript,${encodeURIComponent(code)}`;
    const { isGenuine } = (await import(/* @vite-ignore */ url)) as {
      isGenuine(secret: string, headers: Record<string, string>, body: string): boolean;
    };
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers = {
      'x-vitals-timestamp': timestamp,
      'x-vitals-signature': signBody('secret', timestamp, '{}'),
    };
    expect(isGenuine('secret', headers, '{}')).toBe(true);
    expect(isGenuine('secret', headers, '{ }')).toBe(false);
    expect(isGenuine('other', headers, '{}')).toBe(false);
    expect(isGenuine('secret', {}, '{}')).toBe(false);
    const old = createHmac('sha256', 'secret').update('1.{}').digest('hex');
    expect(isGenuine('secret', { 'x-vitals-timestamp': '1', 'x-vitals-signature': `v1=${old}` }, '{}')).toBe(
      false,
    );
  });
});
