/** The bounds of one probe: what a target sends beyond them becomes a `limit` fault. */
export interface ProbeLimits {
  /** Everything received in one probe, after decompression. */
  bodyBytes: number;
  /** One message before there is a listing to send. */
  greetingBytes: number;
  /** One message of a listing, or of an answer to a call. */
  messageBytes: number;
  /** One line: of a child's stdout, or of an event stream. */
  lineBytes: number;
  /** Messages received in one probe, so that a flood of small notifications ends too. */
  messages: number;
  /** What a server may ask of us in one probe: each question costs an answer. */
  questions: number;
  /** How deep a message may be nested. */
  depth: number;
  /** How long a message that has begun may pause between two of its bytes. */
  stallMs: number;
  /** Pages of one listing. */
  pages: number;
  /** Entries of one listing. */
  items: number;
  /** Processes that a stdio server's command may have at once, itself included. */
  processes: number;
  /** Processor time of each of them. */
  cpuSeconds: number;
  /** What is kept of a child's stderr, from its end. */
  stderrBytes: number;
  /** How long ending the session, its sockets and its processes may take after the deadline. */
  closeMs: number;
}

const MEBIBYTE = 1024 * 1024;

/**
 * Wide enough for a server of 10,000 tools in a single page, narrow enough for 64 probes at once. A
 * message becomes many times its length in memory, and takes the loop's time in proportion to it.
 */
export const DEFAULT_LIMITS: ProbeLimits = {
  bodyBytes: 8 * MEBIBYTE,
  greetingBytes: 2 * MEBIBYTE,
  messageBytes: 6 * MEBIBYTE,
  lineBytes: 6 * MEBIBYTE,
  messages: 20_000,
  questions: 100,
  depth: 50_000,
  stallMs: 5_000,
  pages: 1_000,
  items: 20_000,
  processes: 100,
  cpuSeconds: 120,
  stderrBytes: 8 * 1024,
  closeMs: 900,
};
