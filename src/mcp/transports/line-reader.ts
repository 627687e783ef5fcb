/** Splits a byte stream into lines without ever copying a long line twice. */
export class LineReader {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Whether what was fed ends within a line. */
  get isWithin(): boolean {
    return this.#pendingBytes > 0;
  }

  /** False once a line is longer than the bound: nothing after that can be made sense of. */
  feed(chunk: Buffer): boolean {
    let from = 0;
    for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
      this.#pending.push(chunk.subarray(from, to));
      const line = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
      this.#pending = [];
      this.#pendingBytes = 0;
      from = to + 1;
      this.#onLine((line ?? Buffer.alloc(0)).toString('utf8').replace(/\r$/, ''));
    }
    if (from < chunk.length) {
      this.#pending.push(chunk.subarray(from));
      this.#pendingBytes += chunk.length - from;
    }
    return this.#pendingBytes <= this.#maxBytes;
  }
}
