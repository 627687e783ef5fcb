import type { Readable } from 'node:stream';
import type { Sliced } from '../../core/slices.ts';
import type { LaneShare } from '../bulk-lane.ts';
import type { StallWatch } from './stall-watch.ts';

/** What is read at once of somebody who sends much. */
const PIECE_BYTES = 16 * 1024;

/**
 * Gives `onPiece`, which must not throw, all that comes out of a stream. Once that is much, the stream is held
 * until it is this probe's turn, so that its sender waits as well. The function that it returns
 * resolves when nothing waits to be read.
 */
export function readInTurns(
  source: Readable,
  lane: LaneShare,
  onPiece: (piece: Buffer) => void,
  stall?: StallWatch,
): () => Promise<void> {
  let reading = Promise.resolve();
  function* pieces(chunk: Buffer): Sliced<void> {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      if (from > 0) yield;
      onPiece(chunk.subarray(from, from + PIECE_BYTES));
    }
  }
  source.on('data', (chunk: Buffer) => {
    if (!lane.mustWait(chunk.length)) {
      onPiece(chunk);
      return;
    }
    source.pause();
    // It is us who do not go on.
    stall?.hold();
    const goOn = () => {
      stall?.goOn();
      source.resume();
    };
    // Only a probe that is over is turned away.
    const end = () => void source.destroy();
    reading = lane.wait(pieces(chunk)).then(goOn, end);
  });
  return () => reading;
}
