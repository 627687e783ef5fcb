import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/metrics/create-metrics.ts';
import type { FleetRow } from '../../../src/metrics/fleet-row.ts';
import type { ProbeRecord } from '../../../src/metrics/probe-record.ts';

const up: ProbeRecord = {
  transport: 'http',
  verdict: 'up',
  reason: 'ok',
  phases: { dns: 1, connect: 2, firstByte: 3, handshake: 40, list: 5 },
  totalMs: 51,
  footprint: { sessionsOpened: 1, sessionsClosed: 1 },
};

const row = (id: string, extra: Partial<FleetRow> = {}): FleetRow => ({
  serverId: id,
  server: `Server ${id}`,
  tenant: 'acme',
  transport: 'http',
  verdict: 'up',
  inventory: { tools: 3, resources: 0, resourceTemplates: 2, prompts: 1 },
  ...extra,
});

const filled = () => {
  const metrics = createMetrics({ version: '1.2.3' });
  metrics.recordProbe(up);
  metrics.recordProbe({ ...up, transport: null, verdict: 'down', reason: 'bad_transport', phases: {} });
  metrics.fleet.set([
    row('a', { errorBudgetLeft: 0.25 }),
    row('b', { verdict: 'down', inventory: null, flapping: true, errorBudgetLeft: null }),
  ]);
  metrics.setSweepLag(1500);
  metrics.setProbeJobs({ waiting: 3, active: 1 });
  metrics.setAlertsFiring([{ kind: 'server_down', severity: 'error', count: 2 }]);
  metrics.setOutboxWaiting({ transitions: 3, messages: 1 });
  metrics.countNotification('webhook', 'accepted');
  metrics.setHeartbeat(1_700_000_000_500);
  return metrics;
};

/** The lines of one family, without its comments. */
async function family(metrics: { render(): Promise<string> }, name: string): Promise<string[]> {
  const text = await metrics.render();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('gauges of the fleet', async () => {
  const metrics = filled();
  const labels = (id: string) => `server_id="${id}",server="Server ${id}",tenant="acme",transport="http"`;
  expect(await family(metrics, 'mcp_server_up')).toEqual([
    `mcp_server_up{${labels('a')}} 1`,
    `mcp_server_up{${labels('b')}} 0`,
  ]);
  expect(await family(metrics, 'mcp_server_verdict')).toEqual([
    `mcp_server_verdict{${labels('a')},verdict="up"} 1`,
    `mcp_server_verdict{${labels('b')},verdict="down"} 1`,
  ]);
  expect(await family(metrics, 'mcp_server_flapping')).toEqual([
    `mcp_server_flapping{${labels('a')}} 0`,
    `mcp_server_flapping{${labels('b')}} 1`,
  ]);
  expect(await family(metrics, 'mcp_server_error_budget_left_ratio')).toEqual([
    `mcp_server_error_budget_left_ratio{${labels('a')}} 0.25`,
  ]);
  expect(await family(metrics, 'mcp_server_inventory_items')).toEqual([
    'mcp_server_inventory_items{server_id="a",kind="tools"} 3',
    'mcp_server_inventory_items{server_id="a",kind="resources"} 0',
    'mcp_server_inventory_items{server_id="a",kind="resource_templates"} 2',
    'mcp_server_inventory_items{server_id="a",kind="prompts"} 1',
  ]);
});

test('a fleet replaces the one before: no verdict and no server lingers', async () => {
  const metrics = filled();
  metrics.fleet.set([row('b', { verdict: 'degraded' })]);
  expect(await family(metrics, 'mcp_server_verdict')).toEqual([
    expect.stringContaining(
      'server_id="b",server="Server b",tenant="acme",transport="http",verdict="degraded"',
    ),
  ]);
  expect(await family(metrics, 'mcp_server_up')).toEqual([expect.stringMatching(/server_id="b".* 1$/)]);
  metrics.fleet.set([]);
  expect(await family(metrics, 'mcp_server_inventory_items')).toEqual([]);
});

test('probes are counted, timed by phase, and what they left is summed', async () => {
  const metrics = filled();
  expect(await family(metrics, 'mcp_probes_total')).toEqual([
    'mcp_probes_total{transport="http",verdict="up",reason="ok"} 1',
    'mcp_probes_total{transport="unknown",verdict="down",reason="bad_transport"} 1',
  ]);
  const sums = await family(metrics, 'mcp_probe_duration_seconds_sum');
  expect(sums).toContain('mcp_probe_duration_seconds_sum{transport="http",phase="first_byte"} 0.003');
  expect(sums).toContain('mcp_probe_duration_seconds_sum{transport="http",phase="total"} 0.051');
  expect(sums.filter((line) => line.includes('"http"'))).toHaveLength(6);
  expect(await family(metrics, 'mcp_probe_sessions_open')).toEqual(['mcp_probe_sessions_open 0']);
  metrics.recordProbe({ ...up, footprint: { sessionsOpened: 2, sessionsClosed: 1 } });
  expect(await family(metrics, 'mcp_probe_sessions_open')).toEqual(['mcp_probe_sessions_open 1']);
});

test('queue, sweep, build, process and event loop', async () => {
  const metrics = filled();
  expect(await family(metrics, 'mcp_sweep_lag_seconds')).toEqual(['mcp_sweep_lag_seconds 1.5']);
  expect(await family(metrics, 'mcp_probe_jobs')).toEqual([
    'mcp_probe_jobs{state="waiting"} 3',
    'mcp_probe_jobs{state="active"} 1',
  ]);
  expect(await family(metrics, 'mcp_vitals_build_info')).toEqual([
    'mcp_vitals_build_info{version="1.2.3"} 1',
  ]);
  const text = await metrics.render();
  expect(text).toContain('process_cpu_seconds_total');
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
});

test('alerts, what is still to be told, notifications and the heartbeat', async () => {
  const metrics = filled();
  expect(await family(metrics, 'mcp_alerts_firing')).toEqual([
    'mcp_alerts_firing{kind="server_down",severity="error"} 2',
  ]);
  expect(await family(metrics, 'mcp_outbox_waiting')).toEqual([
    'mcp_outbox_waiting{stage="transitions"} 3',
    'mcp_outbox_waiting{stage="messages"} 1',
  ]);
  expect(await family(metrics, 'mcp_notifications_total')).toEqual([
    'mcp_notifications_total{channel_type="webhook",result="accepted"} 1',
  ]);
  const heartbeat = 'mcp_heartbeat_last_success_timestamp_seconds';
  expect(await family(metrics, heartbeat)).toEqual([`${heartbeat} 1700000000.5`]);
  expect(await family(createMetrics({ version: '0' }), heartbeat)).toEqual([]);
});

test('labels carry what others wrote without controls, URLs or great length', async () => {
  const metrics = createMetrics({ version: '0' });
  metrics.fleet.set([
    row('x', {
      server: `a"b\\c\nd\u001b[31m see https://user:pw@h.example:1/mcp?key=k`,
      tenant: '😀'.repeat(200),
    }),
  ]);
  const [line = ''] = await family(metrics, 'mcp_server_up');
  expect(line).toContain('server="a\\"b\\\\cd[31m see h.example:1"');
  expect(line).toContain(`tenant="${'😀'.repeat(128)}"`);
  expect(line).not.toMatch(/:\/\/|pw|key=/);
});

test('two sets of metrics live side by side', async () => {
  const [one, other] = [filled(), createMetrics({ version: '2' })];
  expect(await family(one, 'mcp_probes_total')).toHaveLength(2);
  expect(await family(other, 'mcp_probes_total')).toHaveLength(0);
});

const found = spawnSync('promtool', ['--version']).status === 0;
if (!found)
  console.info('promtool was not found, so the exposition was not linted: apt-get install prometheus');
test.runIf(found)('promtool finds nothing to complain of', async () => {
  const lint = spawnSync('promtool', ['check', 'metrics'], {
    input: await filled().render(),
    encoding: 'utf8',
  });
  expect({ status: lint.status, said: lint.stdout + lint.stderr }).toEqual({ status: 0, said: '' });
});
