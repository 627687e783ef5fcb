import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/core/policy.ts';
import { loadSettingsFiles } from '../../../src/daemon/settings-files.ts';

let folder: string;
let files: { policy: string; alerts: string };
let log: { level: string; message: string; fields: Record<string, unknown> }[];
const keep =
  (level: string) =>
  (fields: unknown, message?: unknown): void =>
    void log.push({ level, message: String(message), fields: fields as Record<string, unknown> });
const load = (given: { policy: string | null; alerts: string | null } = files) =>
  loadSettingsFiles({
    files: given,
    lookUp: () => undefined,
    logger: { info: keep('info'), error: keep('error') },
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitals-settings-'));
  files = { policy: join(folder, 'policy.yaml'), alerts: join(folder, 'alerts.yaml') };
  log = [];
  await writeFile(files.policy, 'health: { failuresToDown: 3 }\n');
  await writeFile(files.alerts, 'channels: { a: { type: slack, url: "http://127.0.0.1/" } }\n');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the settings files', () => {
  test('none means the defaults', async () => {
    const settings = await load({ policy: null, alerts: null });
    expect(settings.policy()).toBe(DEFAULT_POLICY);
    expect(settings.alerts().channels.size).toBe(0);
    await settings.refresh(true);
  });

  test('every problem of both stops a start', async () => {
    await writeFile(files.policy, 'health: { failuresToDown: 0 }\n');
    await expect(load({ ...files, alerts: join(folder, 'gone.yaml') })).rejects.toMatchObject({
      name: 'SettingsError',
      problems: [
        expect.stringMatching(/policy\.yaml:1:\d+: health\.failuresToDown: /),
        expect.stringMatching(/gone\.yaml: it cannot be read \(ENOENT\)/),
      ],
    });
  });

  test('a changed file is taken with a line, an unchanged one without', async () => {
    const settings = await load();
    await settings.refresh();
    await settings.refresh(true);
    expect(log).toEqual([]);
    await writeFile(files.policy, 'health: { failuresToDown: 44 }\n');
    await settings.refresh();
    expect(settings.policy().health.failuresToDown).toBe(44);
    expect(log).toMatchObject([{ level: 'info', fields: { file: files.policy } }]);
  });

  test.each([
    [
      'invalid',
      'channels: { a: { type: slack } }\nroutes: [{ channels: [b] }]\n',
      /alerts\.yaml:1:\d+: channels\.a\.url: .*\(and 1 more\)/,
    ],
    ['half written', 'channels: {', /alerts\.yaml:1:\d+: /],
    ['removed', null, /alerts\.yaml: it cannot be read \(ENOENT\)/],
  ])('a version that is %s is refused once, and the running one stays', async (_, text, expected) => {
    const settings = await load();
    const before = settings.alerts();
    if (text === null) await rm(files.alerts);
    else await writeFile(files.alerts, text);
    await settings.refresh();
    await settings.refresh();
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 'error', message: expect.stringMatching(expected) });
    expect(settings.alerts()).toBe(before);
    await writeFile(files.alerts, 'channels: {}\n');
    await settings.refresh();
    expect(settings.alerts().channels.size).toBe(0);
    expect(settings.policy().health.failuresToDown).toBe(3);
  });
});
