import { describe, expect, test } from 'vitest';
import type { ServerDetail } from '../../../src/cli/actions.ts';
import { createLogger } from '../../../src/logging/create-logger.ts';
import { createMetrics } from '../../../src/metrics/create-metrics.ts';
import { NASTY_TEXTS } from '../../support/nasty-text.ts';
import { healthy, run } from './run.ts';

/** What steers a terminal, or turns the direction of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come out
const BAD = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const named = (text: string) => JSON.stringify(text.slice(0, 40));

describe.each(NASTY_TEXTS.map((text) => [named(text), text] as const))('%s', (_, text) => {
  const detail: ServerDetail = {
    id: text,
    name: text,
    transport: text,
    verdict: 'down',
    reason: 'exited',
    message: text,
    responseMs: 1,
    endpointUrl: text,
    tenantId: text,
    tags: [text],
    status: text,
    checkedAt: null,
    description: text,
    version: text,
    authType: text,
    intervalSeconds: 60,
    nextProbeAt: null,
    uptimePercent: 1,
    era: text,
    protocolVersion: text,
    inventory: null,
    recent: [{ at: text, status: text, reason: text, responseMs: 1 }],
  };

  test('steers no terminal: servers and probes as text', async () => {
    const outcome = {
      ...healthy,
      protocolVersion: text,
      serverInfo: { name: text, version: text, title: text },
      inventory: { ...healthy.inventory, tools: [{ name: text, description: text }] },
      warnings: [{ code: 'list_failed' as const, message: text }],
    } as typeof healthy;
    const exit = { kind: 'exit' as const, exitCode: 1, signal: null, stderr: text, message: text };
    for (const ran of [
      await run(['servers', 'list'], { actions: { listServers: async () => [detail] } }),
      await run(['servers', 'show', 'x'], { actions: { showServer: async () => detail } }),
      await run(['servers', 'show', text], { actions: { showServer: async () => null } }),
      await run(['probe', 'http://h/', '--tools'], { actions: { probe: async () => outcome } }),
      await run(['probe', 'http://h/'], { actions: { probe: async () => ({ ...outcome, fault: exit }) } }),
      await run(['secrets', 'check'], {
        actions: {
          secrets: async () => ({
            replaced: 0,
            byKey: { [text]: 1 },
            plain: [text],
            unreadable: [{ id: text, problem: text }],
            changedMeanwhile: [text],
            unknown: [text],
          }),
        },
      }),
    ])
      expect(ran.out + ran.err).not.toMatch(BAD);
  });

  test('stays one value of JSON: in --json and in a line of the log', async () => {
    const { out } = await run(['servers', 'show', 'x', '--json'], {
      actions: { showServer: async () => detail },
    });
    expect(JSON.parse(out).id).toBe(text);
    const lines: string[] = [];
    const stream = { isTTY: false, write: (line: string) => void lines.push(line) };
    const { logger } = createLogger({ level: 'info', format: 'json' }, { stream });
    logger.info({ server: text, message: text }, text);
    const whole = lines.join('');
    expect(whole.trimEnd().split('\n')).toHaveLength(1);
    expect(() => JSON.parse(whole)).not.toThrow();
  });

  test('is one label of Prometheus, and not long', async () => {
    const metrics = createMetrics({ version: '1' });
    const row = { serverId: text, server: text, tenant: text, transport: 'http', verdict: 'up' as const };
    metrics.fleet.set([row]);
    metrics.setCertificateExpiries([{ serverId: text, name: text, expiresMs: 1 }]);
    const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('mcp_server_'));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) {
      expect(line).toMatch(/^mcp_server_\w+\{(\w+="(?:[^"\\\n]|\\[\\n"])*",?)+\} \S+$/);
      expect(line).not.toMatch(BAD);
      expect(line.length).toBeLessThan(1_500);
    }
    expect(lines.some((line) => line.includes('server_id="forged"'))).toBe(false);
  });
});
