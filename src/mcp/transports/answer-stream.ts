import type { IncomingMessage } from 'node:http';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';
import { createEventReader } from './event-stream.ts';
import { type HttpExchange, SETTLE_MS } from './http-exchange.ts';
import { MessageReader } from './message-reader.ts';
import { asAnswer } from './read-message.ts';

const MAX_RESUMES = 3;
const DEFAULT_RETRY_MS = 1_000;

/** What the event stream of an answer needs of the transport that it came on. */
export interface AnswerStreamOptions {
  exchange: HttpExchange;
  context: ProbeContext;
  onMessage(message: JSONRPCMessage): void;
  /** Told what came in place of a message. */
  onSuspect(what: string): void;
  /** Asks for the rest of a stream that ended early; null when there is none. */
  resume(lastEventId: string): Promise<IncomingMessage | null>;
}

/**
 * Reads the event stream that answers the request `id`, and returns once the answer is there. Most
 * servers end the stream right after it, and their socket serves the next request: so the answer waits a
 * moment for that. A stream that goes on ends with the probe.
 */
export async function readAnswerStream(
  response: IncomingMessage,
  id: string | number | undefined,
  options: AnswerStreamOptions,
): Promise<void> {
  const { context, resume } = options;
  let stream = response;
  for (let resumes = 0; ; resumes += 1) {
    const ended = await readOnce(stream, id, options);
    if (ended.answered) return;
    const { lastEventId, suspect, retryMs } = ended;
    const { phase } = context.watch;
    if (suspect !== null) throw new FaultError({ kind: 'protocol', phase, message: suspect });
    const rest = lastEventId !== undefined && resumes < MAX_RESUMES;
    // Whatever it says, a probe does not remember it for longer than it lasts.
    const waitMs = Math.min(retryMs, context.timeoutMs);
    if (rest) await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
    const next = rest ? await resume(lastEventId) : null;
    if (!next) {
      throw new FaultError({ kind: 'closed', phase, message: 'its event stream ended without the answer' });
    }
    stream = next;
  }
}

interface StreamEnd {
  answered: boolean;
  lastEventId: string | undefined;
  retryMs: number;
  suspect: string | null;
}

function readOnce(
  response: IncomingMessage,
  id: string | number | undefined,
  { exchange, context, onMessage, onSuspect }: AnswerStreamOptions,
): Promise<StreamEnd> {
  return new Promise((resolve, reject) => {
    const end: StreamEnd = {
      answered: false,
      lastEventId: undefined,
      retryMs: DEFAULT_RETRY_MS,
      suspect: null,
    };
    let answer: JSONRPCMessage | null = null;
    let settle: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(settle);
      if (answer !== null && !end.answered) {
        end.answered = true;
        onMessage(answer);
      }
      resolve(end);
    };
    const messages = new MessageReader('an event', context, {
      onMessage(message) {
        context.allowance.takeMessage(message);
        const answering = answer === null ? asAnswer(message, id) : null;
        if (answering === null) {
          onMessage(message);
          return;
        }
        answer = answering;
        settle = setTimeout(() => {
          exchange.leave(response);
          finish();
        }, SETTLE_MS);
      },
      onNone(problem) {
        end.suspect = `in its event stream, ${problem}`;
        onSuspect(end.suspect);
      },
      onFault(error) {
        response.destroy();
        reject(error);
      },
    });
    const reader = createEventReader(
      context,
      (event) => {
        if (event.id) end.lastEventId = event.id;
        if (event.data && (!event.event || event.event === 'message')) messages.read(event.data);
      },
      (retryMs) => {
        end.retryMs = retryMs;
      },
    );
    exchange.readStream(response, reader).then(
      // A long answer may still be read when the stream has ended.
      () => messages.idle().then(finish),
      async (error: unknown) => {
        await messages.idle();
        if (answer === null) reject(error);
        else finish();
      },
    );
  });
}
