import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { readInTurns } from './read-in-turns.ts';
import { StallWatch } from './stall-watch.ts';

interface BodyHandlers {
  /** What it throws ends the reading, and the response with it. */
  onChunk(chunk: Buffer): void;
  /** Whether more has to come after a chunk; without it, until the end of the body. */
  isWithin?(): boolean;
  /** What the reading is rejected with for an error. */
  explain(error: unknown): FaultError;
}

/** Reads a body to its end, decompressed, within what the probe may still receive and in its turns. */
export function readBody(
  response: IncomingMessage,
  context: ProbeContext,
  handlers: BodyHandlers,
): Promise<void> {
  const { allowance, lane } = context;
  return new Promise((resolve, reject) => {
    let isOver = false;
    const fail = (error: unknown) => {
      isOver = true;
      stall.stop();
      response.destroy();
      // What it was given would still be inflated, a thousand times over.
      source.destroy();
      reject(handlers.explain(error));
    };
    const stall = new StallWatch(context, fail);
    const source = decompressed(response);
    const announced = Number(response.headers['content-length']);
    if (announced > 0 && !allowance.affords(announced)) {
      fail(new FaultError(allowance.tooManyBytes()));
      return;
    }
    const take = (piece: Buffer) => {
      if (isOver) return;
      try {
        allowance.takeBytes(piece.length);
        handlers.onChunk(ownChunk(piece));
        stall.saw(handlers.isWithin?.() ?? true);
      } catch (error) {
        fail(error);
      }
    };
    const idle = readInTurns(source, lane, take, stall);
    // What came before it broke is heard first.
    const broken = (error: unknown) => void idle().then(() => fail(error));
    // The last piece may still wait for its turn.
    source.on('end', async () => {
      await idle();
      stall.stop();
      resolve();
    });
    source.on('error', broken);
    if (source !== response) response.on('error', broken);
    // A body that is cut off may end without 'end' and 'error'.
    response.on('close', () => {
      if (source === response) stall.stop();
      if (!response.complete) broken(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    });
  });
}

/** A read of so many bytes costs little, whoever holds it. */
const SMALL_READ_BYTES = 4 * 1024;

/** A small piece of a large read would keep all of that in memory: it is copied. */
function ownChunk(chunk: Buffer): Buffer {
  const { byteLength } = chunk.buffer;
  return byteLength > SMALL_READ_BYTES && chunk.length * 4 < byteLength ? Buffer.from(chunk) : chunk;
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return response.pipe(createGunzip());
  if (encoding === 'deflate') return response.pipe(createInflate());
  if (encoding === 'br') return response.pipe(createBrotliDecompress());
  return response;
}
