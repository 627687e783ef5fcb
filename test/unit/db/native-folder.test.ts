import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyNative, linkLibraries } from '../../../src/db/embedded/native-folder.ts';

let root: string;
let native: string;

/** A package as npm unpacks it without install scripts: libraries, a list of links, and no link. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vitals-native-'));
  native = join(root, 'native');
  mkdirSync(join(native, 'bin'), { recursive: true });
  mkdirSync(join(native, 'lib'));
  writeFileSync(join(native, 'bin', 'postgres'), '#!/bin/sh\n', { mode: 0o644 });
  writeFileSync(join(native, 'lib', 'libpq.so.5.18'), 'library');
  const links = ['libpq.so', 'libpq.so.5'].map((name) => ({
    source: 'native/lib/libpq.so.5.18',
    target: `native/lib/${name}`,
  }));
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('linkLibraries', () => {
  it('makes the links that are listed, and does so once', async () => {
    expect(await linkLibraries(native)).toBe(true);
    expect(await linkLibraries(native)).toBe(true);
    expect(readlinkSync(join(native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
    expect(readFileSync(join(native, 'lib', 'libpq.so'), 'utf8')).toBe('library');
  });

  it('lets two processes do so at once', async () => {
    expect(await Promise.all([linkLibraries(native), linkLibraries(native)])).toEqual([true, true]);
  });

  it('says when it cannot', async () => {
    writeFileSync(
      join(native, 'pg-symlinks.json'),
      JSON.stringify([{ source: 'native/lib/libpq.so.5.18', target: 'native/gone/libpq.so' }]),
    );
    expect(await linkLibraries(native)).toBe(false);
  });
});

describe('copyNative', () => {
  it('makes a whole copy, with its links and with programs that run', async () => {
    const target = join(root, 'store', 'postgres-1');
    expect(await copyNative(native, target)).toBe(target);
    expect(lstatSync(join(target, 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(target, 'lib', 'libpq.so.5'), 'utf8')).toBe('library');
    expect(statSync(join(target, 'bin', 'postgres')).mode & 0o777).toBe(0o755);
    expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(false);
  });

  it('is made once by processes that need it at once, and leaves no draft', async () => {
    const target = join(root, 'store', 'postgres-1');
    expect(await Promise.all([copyNative(native, target), copyNative(native, target)])).toEqual([
      target,
      target,
    ]);
    expect(readdirSync(join(root, 'store'))).toEqual(['postgres-1']);
  });
});
