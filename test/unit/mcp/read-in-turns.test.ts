import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import type { Sliced } from '../../../src/core/slices.ts';
import { Beat } from '../../../src/mcp/beat.ts';
import { BulkLane, type LaneShare } from '../../../src/mcp/bulk-lane.ts';
import { DEFAULT_LIMITS } from '../../../src/mcp/limits.ts';
import { Stopwatch } from '../../../src/mcp/stopwatch.ts';
import { readInTurns } from '../../../src/mcp/transports/read-in-turns.ts';
import { StallWatch } from '../../../src/mcp/transports/stall-watch.ts';

const MUCH = Buffer.alloc(100_000, 'x');

/** Work before everything else in the lane, which ends when it is told. */
function hold(lane: BulkLane): { end(): void } {
  let isHeld = true;
  void lane.join('a').wait(
    (function* (): Sliced<void> {
      while (isHeld) yield;
    })(),
  );
  return {
    end: () => {
      isHeld = false;
    },
  };
}

/** Writes, and waits until it has come. */
async function write(source: PassThrough, chunk: Buffer | string): Promise<void> {
  const came = once(source, 'data');
  source.write(chunk);
  await came;
}

function start(share: LaneShare, stall?: StallWatch) {
  const source = new PassThrough({ highWaterMark: 1 << 20 });
  const pieces: Buffer[] = [];
  const idle = readInTurns(source, share, (piece) => pieces.push(piece), stall);
  return { source, pieces, idle, read: () => Buffer.concat(pieces).toString() };
}

test('little is read at once', async () => {
  const { source, read } = start(new BulkLane().join('a'));
  await write(source, 'hello');
  expect(read()).toBe('hello');
  expect(source.isPaused()).toBe(false);
});

test('much is read in pieces and in its order, and all of it is there before it is told that nothing waits', async () => {
  const { source, pieces, read, idle } = start(new BulkLane().join('a'));
  const text = Array.from({ length: 40_000 }, (_, index) => `${index} `).join('');
  const ended = once(source, 'end');
  source.write(text.slice(0, 200_000));
  source.end(text.slice(200_000));
  await ended;
  await idle();
  expect(read()).toBe(text);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(16 * 1024);
});

test('an end that comes before its turn is not the end of what waits', async () => {
  const lane = new BulkLane();
  const { source, read, idle } = start(lane.join('a'));
  const others = hold(lane);
  await write(source, MUCH);
  source.end();
  expect(source.isPaused()).toBe(true);
  const isIdle = vi.fn();
  const waiting = idle().then(isIdle);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIdle).not.toHaveBeenCalled();
  others.end();
  await waiting;
  expect(read()).toHaveLength(MUCH.length);
});

test('a source that breaks off while it waits has said what it had said', async () => {
  const lane = new BulkLane();
  const { source, read, idle } = start(lane.join('a'));
  const others = hold(lane);
  source.on('error', () => undefined);
  await write(source, MUCH);
  const closed = new Promise((resolve) => source.once('close', resolve));
  source.destroy(new Error('gone'));
  await closed;
  others.end();
  await idle();
  expect(read()).toHaveLength(MUCH.length);
});

test('a probe that is over reads no more, and lets go of the source', async () => {
  const lane = new BulkLane();
  const share = lane.join('a');
  const { source, pieces, idle } = start(share);
  const others = hold(lane);
  await write(source, MUCH);
  share.leave();
  await idle();
  expect(source.destroyed).toBe(true);
  expect(pieces).toEqual([]);
  others.end();
});

test('who waits for his turn does not stall, and has all his time again when it is over', async () => {
  const lane = new BulkLane();
  const stalled = vi.fn();
  const beat = new Beat();
  const inMs = (ms: number) => beat.turn(performance.now() + ms);
  const limits = { ...DEFAULT_LIMITS, stallMs: 60_000 };
  const stall = new StallWatch({ limits, watch: new Stopwatch(), beat }, stalled);
  const { source, idle } = start(lane.join('a'), stall);
  const others = hold(lane);
  stall.saw(true);
  await write(source, MUCH);
  inMs(600_000);
  expect(stalled).not.toHaveBeenCalled();
  others.end();
  await idle();
  await new Promise((resolve) => setImmediate(resolve));
  inMs(1_000);
  expect(stalled).not.toHaveBeenCalled();
  inMs(60_000);
  expect(stalled).toHaveBeenCalledOnce();
  inMs(600_000);
  expect(stalled).toHaveBeenCalledOnce();
});
