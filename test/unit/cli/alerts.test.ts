import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createActions } from '../../../src/actions/create-actions.ts';
import type { AlertSummary } from '../../../src/cli/actions.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { run } from './run.ts';

let folder: string;
let file: string;
let receiver: Receiver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitals-cli-'));
  file = join(folder, 'alerts.yaml');
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await rm(folder, { recursive: true });
});

/** The real actions, without a database: none of these commands needs one. */
const actions = (environment: Record<string, string> = {}) =>
  createActions({
    config: () => loadConfig(environment, folder),
    version: '0',
    stop: new AbortController().signal,
    lookUp: (name) => environment[name],
    onHangup: () => () => undefined,
    onProgress: () => undefined,
  });

describe('alerts check', () => {
  test('a good file', async () => {
    await writeFile(file, 'channels: { a: { type: slack, url: env:URL } }\nroutes: [{ channels: [a] }]\n');
    const ran = await run(['alerts', 'check', file], { actions: actions({ URL: 'https://h.example/x' }) });
    expect(ran).toEqual({ code: 0, out: 'ok, 1 channel, 1 route\n', err: '' });
  });

  test('every problem with its line, and exit code 2', async () => {
    await writeFile(file, 'channels: { a: { type: slack, url: env:URL } }\nroutes: [{ channels: [b] }]\n');
    const { code, out, err } = await run(['alerts', 'check', file], { actions: actions() });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/alerts\.yaml:1:\d+: channels\.a\.url: the environment variable URL is not set\n/);
    expect(err).toMatch(
      /alerts\.yaml:2:\d+: routes\[0\]\.channels\[0\]: no channel is called "b"; there are a\n/,
    );
  });

  test('no file', async () => {
    const { code, err } = await run(['alerts', 'check', `${file}x`], { actions: actions() });
    expect(code).toBe(2);
    expect(err).toContain('it cannot be read (ENOENT)');
  });
});

test('policy check', async () => {
  await writeFile(file, 'health: { failuresToDown: 3 }\n');
  expect(await run(['policy', 'check', file], { actions: actions() })).toMatchObject({
    code: 0,
    out: 'ok, 0 recurring maintenance windows\n',
  });
  await writeFile(file, 'health: { failuresToDown: 0 }\n');
  expect(await run(['policy', 'check', file], { actions: actions() })).toMatchObject({
    code: 2,
    err: expect.stringMatching(/alerts\.yaml:1:\d+: health\.failuresToDown/),
  });
});

describe('alerts test', () => {
  const key = 'k3y-of-the-hook';
  beforeEach(() => writeFile(file, `channels: { ops: { type: slack, url: "${receiver.url}/${key}" } }\n`));

  test('sends through the real channel and says what it answered', async () => {
    const ran = await run(['alerts', 'test', 'ops'], { actions: actions({ VITALS_ALERTS_FILE: file }) });
    expect(ran).toEqual({ code: 0, out: 'ops (slack) accepted the test: 200 ok\n', err: '' });
    expect(receiver.log[0]?.body).toContain('[TEST]');
  });

  test('a refusal is exit code 1, and what is repeated of a secret is not shown', async () => {
    receiver.answer = ({ path }, response) => void response.writeHead(403).end(`no such hook ${path}`);
    const ran = await run(['alerts', 'test', 'ops', '--file', file], { actions: actions() });
    expect(ran).toEqual({
      code: 1,
      out: 'ops (slack) refused the test: 403 no such hook /[redacted]\n',
      err: '',
    });
    const json = await run(['alerts', 'test', 'ops', '--file', file, '--json'], { actions: actions() });
    expect(JSON.parse(json.out)).toMatchObject({ channel: 'ops', type: 'slack', accepted: false });
  });

  test('no such channel, and no file, are wrong usage', async () => {
    const { code, err } = await run(['alerts', 'test', 'x', '--file', file], { actions: actions() });
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no channel x; it has ops'),
    });
    expect(await run(['alerts', 'test', 'ops'], { actions: actions() })).toMatchObject({
      code: 2,
      err: expect.stringContaining('VITALS_ALERTS_FILE'),
    });
  });
});

describe('alerts list', () => {
  const alert: AlertSummary = {
    id: '1',
    kind: 'server_down',
    severity: 'error',
    serverId: 'a',
    serverName: 'Server A',
    tenantId: null,
    title: 'Server A is down\u001b[31m',
    startedAt: '2026-01-01T23:59:00Z',
    resolvedAt: null,
    incidentId: null,
    heldBecause: 'grouping',
    told: [
      { channel: 'ops', state: 'told', at: '2026-01-01T23:59:05Z' },
      { channel: 'chat', state: 'on its way', at: '2026-01-01T23:59:05Z' },
    ],
  };
  const asked: object[] = [];
  const listing = (rows: AlertSummary[]) => ({
    actions: {
      listAlerts: async (filter: object) => {
        asked.push(filter);
        return rows;
      },
    },
    columns: 200,
  });

  test('shows what fires, since when, whom it was told and why not', async () => {
    const { code, out } = await run(['alerts', 'list'], listing([alert]));
    expect(code).toBe(0);
    expect(out).toContain(
      'firing  error     60 s ago  server_down  Server A  Server A is down\\u001b[31m  ops, chat (on its way), held: grouping',
    );
    expect(await run(['alerts', 'list', '--all'], listing([]))).toMatchObject({ out: 'no alerts\n' });
    expect(JSON.parse((await run(['alerts', 'list', '--json'], listing([alert]))).out)).toEqual([alert]);
    expect(asked).toEqual([{ all: false }, { all: true }, { all: false }]);
  });
});
