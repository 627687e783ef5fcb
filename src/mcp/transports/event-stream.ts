import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';

/** Feeds an event stream's text; throws a FaultError when a line or an event passes the bound. */
export interface EventReader {
  feed(text: string): void;
  /** Whether what was fed ends within a line. */
  readonly isWithin: boolean;
}

/** Each line of an event costs many times its length until the event is complete. */
const MAX_EVENT_LINES = 20_000;

/** Parses server-sent events within our bounds. */
export function createEventReader(
  { limits, watch }: Pick<ProbeContext, 'limits' | 'watch'>,
  onEvent: (event: EventSourceMessage) => void,
  onRetry?: (retryMs: number) => void,
): EventReader {
  let overflow: FaultError | undefined;
  let lines = 0;
  let isWithin = false;
  const tooLong = (message: string) =>
    new FaultError({ kind: 'limit', phase: watch.phase, limit: 'line', message });
  const parser = createParser({
    maxBufferSize: limits.lineBytes,
    onEvent(event) {
      lines = 0;
      onEvent(event);
    },
    ...(onRetry ? { onRetry } : {}),
    onError(error) {
      if (error.type !== 'max-buffer-size-exceeded') return;
      overflow = tooLong(`an event of its stream is longer than ${limits.lineBytes} characters`);
    },
  });
  return {
    get isWithin() {
      return isWithin;
    },
    feed(text) {
      if (text !== '') isWithin = !/[\r\n]$/.test(text);
      lines += countBreaks(text);
      parser.feed(text);
      if (overflow) throw overflow;
      if (lines > MAX_EVENT_LINES) throw tooLong(`its stream had ${MAX_EVENT_LINES} lines without an event`);
    },
  };
}

function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
