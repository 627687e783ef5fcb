import type { Sliced } from '../slices.ts';

/** What one statement takes: some milliseconds of work for both sides. */
const MAX_CHUNK_LENGTH = 2 * 1024 * 1024;

/** JSON arrays that hold all `rows` in their order, each of about 2 MB of text at most; in slices. */
export function* jsonArrays(rows: Iterable<unknown>): Sliced<string[]> {
  const chunks: string[] = [];
  let pending: string[] = [];
  let length = 0;
  for (const row of rows) {
    const json = JSON.stringify(row);
    pending.push(json);
    length += json.length;
    if (length >= MAX_CHUNK_LENGTH) {
      chunks.push(`[${pending.join(',')}]`);
      pending = [];
      length = 0;
    }
    yield;
  }
  if (pending.length > 0) chunks.push(`[${pending.join(',')}]`);
  return chunks;
}
