import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { JsonLimitError, MAX_VALUES, parseInSlices } from '../../core/json/parse-in-slices.ts';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { readMessage } from './read-message.ts';

/** Up to here JSON.parse takes a few milliseconds, whatever the text holds. */
const AT_ONCE_LENGTH = 64 * 1024;
/** What the SDK copies, it copies at once: nothing that we ask for has so many members. */
const MAX_MEMBERS = 1_000;

type Bounds = Pick<ProbeContext, 'limits' | 'watch' | 'lane'>;

/** Listings and answers to calls may be long and rich, and nothing that comes before them. */
const mayBeRich = ({ watch }: Bounds): boolean => watch.phase === 'list' || watch.phase === 'canary';

/** The SDK checks a greeting as a whole and at once. */
const MAX_GREETING_VALUES = 10_000;

function tooMuch(bounds: Bounds, message: string, limit: 'body' | 'depth' = 'body'): FaultError {
  return new FaultError({ kind: 'limit', phase: bounds.watch.phase, limit, message });
}

/** Throws a FaultError for a text that is too long to be a message of this phase. */
function checkLength(text: string, bounds: Bounds): void {
  const { messageBytes, greetingBytes } = bounds.limits;
  const most = mayBeRich(bounds) ? messageBytes : greetingBytes;
  if (text.length > most) throw tooMuch(bounds, `it sent a message of more than ${most} bytes`);
}

/** JSON of any length, without holding up the loop; rejects with a FaultError or a SyntaxError. */
export async function parseText(text: string, bounds: Bounds, isOver?: () => boolean): Promise<unknown> {
  checkLength(text, bounds);
  if (text.length <= AT_ONCE_LENGTH) return JSON.parse(text);
  try {
    const maxValues = mayBeRich(bounds) ? MAX_VALUES : MAX_GREETING_VALUES;
    return await bounds.lane.run(parseInSlices(text, maxValues, bounds.limits.depth), isOver);
  } catch (error) {
    if (error instanceof JsonLimitError) {
      const limit = error.limit === 'depth' ? 'depth' : 'body';
      throw tooMuch(bounds, `it sent a message that is too large to be taken: ${error.message}`, limit);
    }
    throw error;
  }
}

/** The texts of the listings that came lately, for whoever wants to know whether they are the same again. */
const texts = new WeakMap<object, string>();

/** The text of the message that brought a result; undefined when that is not known. */
export const textOfResult = (result: object): string | undefined => texts.get(result);

/** What a value is as a message; what is of no use and would cost much is none. */
export function toMessage(
  value: unknown,
  text: string,
  { watch }: Pick<Bounds, 'watch'>,
): JSONRPCMessage | string | null {
  const message = readMessage(value);
  if (typeof message === 'string') return message;
  // The server's own requests and notifications are not answered at this length.
  if ('method' in message) return text.length > AT_ONCE_LENGTH ? null : message;
  if (!('result' in message)) return message;
  const { result } = message;
  if (text.length > AT_ONCE_LENGTH && (hasMany(result) || hasMany(result._meta))) {
    return `the result of a response has more than ${MAX_MEMBERS} members`;
  }
  if (watch.phase === 'list') texts.set(result, text);
  return message;
}

const hasMany = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length > MAX_MEMBERS;

/** How a reader of messages hands on what it reads. */
export interface MessageHandlers {
  onMessage(message: JSONRPCMessage): void;
  /** Told of a text that is no message: why, and the text. */
  onNone(problem: string, text: string): void;
  /** Told of what ends the probe, when it was found out later than the text was given. */
  onFault(error: unknown): void;
}

/**
 * Makes messages of the texts of one connection, in their order. Short texts are handled at once; a long
 * one is parsed in slices, and those behind it wait for it.
 */
export class MessageReader {
  #waiting: Promise<void> | null = null;
  #isOver = false;
  readonly #what: string;
  readonly #bounds: Bounds;
  readonly #handlers: MessageHandlers;

  /** `what` a text is called where it is no JSON: a line, an event. */
  constructor(what: string, bounds: Bounds, handlers: MessageHandlers) {
    this.#what = what;
    this.#bounds = bounds;
    this.#handlers = handlers;
  }

  /** Throws a FaultError, or what the handlers throw, for what is found out at once. */
  read(text: string): void {
    if (this.#isOver) return;
    checkLength(text, this.#bounds);
    if (this.#waiting === null && text.length <= AT_ONCE_LENGTH) {
      this.#handle(text, () => JSON.parse(text));
      return;
    }
    const before = this.#waiting ?? Promise.resolve();
    const reading = before.then(() => this.#readLong(text));
    this.#waiting = reading;
    void reading.then(() => {
      if (this.#waiting === reading) this.#waiting = null;
    });
  }

  /** Resolves when everything that was given is handled. */
  async idle(): Promise<void> {
    while (this.#waiting) await this.#waiting;
  }

  /** Nothing more is handled, and what is being read is given up. */
  stop(): void {
    this.#isOver = true;
  }

  async #readLong(text: string): Promise<void> {
    if (this.#isOver) return;
    try {
      let value: unknown;
      let problem: unknown = null;
      try {
        value = await parseText(text, this.#bounds, () => this.#isOver);
      } catch (error) {
        if (error instanceof FaultError) throw error;
        problem = error;
      }
      if (this.#isOver) return;
      this.#handle(text, () => {
        if (problem !== null) throw problem;
        return value;
      });
    } catch (error) {
      if (!this.#isOver) this.#handlers.onFault(error);
    }
  }

  #handle(text: string, parse: () => unknown): void {
    let value: unknown;
    try {
      value = parse();
    } catch {
      this.#handlers.onNone(`${this.#what} is not valid JSON`, text);
      return;
    }
    const message = toMessage(value, text, this.#bounds);
    if (typeof message === 'string') this.#handlers.onNone(message, text);
    else if (message !== null) this.#handlers.onMessage(message);
  }
}
