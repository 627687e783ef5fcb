import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeKeeperLock } from '../../../src/db/embedded/keeper-lock.ts';
import { startOf } from '../../../src/db/embedded/process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitals-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the keeper’s lock', () => {
  it('is had by one at a time, and again after its release', async () => {
    const first = await takeKeeperLock(folder);
    expect(first).toBeDefined();
    expect(await takeKeeperLock(folder)).toBeUndefined();
    await first?.release();
    expect(await takeKeeperLock(folder)).toBeDefined();
  });

  it('is had by one of many that ask at once', async () => {
    const locks = await Promise.all(Array.from({ length: 10 }, () => takeKeeperLock(folder)));
    expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
  });

  it('is free when its holder was killed, and is had by one of many then too', async () => {
    const holder = spawn('sleep', ['60']);
    await once(holder, 'spawn');
    const startedAt = await startOf(holder.pid ?? 0);
    writeFileSync(join(folder, 'keeper.lock.7'), `${holder.pid} ${startedAt}`);
    expect(await takeKeeperLock(folder)).toBeUndefined();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const locks = await Promise.all(Array.from({ length: 10 }, () => takeKeeperLock(folder)));
    expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['keeper.lock.8']);
  });

  it('is free when another process was given the id of its holder', async () => {
    writeFileSync(join(folder, 'keeper.lock.1'), `${process.pid} long-ago`);
    expect(await takeKeeperLock(folder)).toBeDefined();
  });
});
