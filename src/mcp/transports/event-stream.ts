import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { ProbeContext } from '../context.ts';
import { FaultError } from '../fault-error.ts';

/** Feeds an event stream's text; throws a FaultError when a line or an event passes the bound. */
export interface EventReader {
  feed(text: string): void;
}

/** Parses server-sent events within our bounds. */
export function createEventReader(
  { limits, watch }: Pick<ProbeContext, 'limits' | 'watch'>,
  onEvent: (event: EventSourceMessage) => void,
  onRetry?: (retryMs: number) => void,
): EventReader {
  let overflow: FaultError | undefined;
  const parser = createParser({
    maxBufferSize: limits.lineBytes,
    onEvent,
    ...(onRetry ? { onRetry } : {}),
    onError(error) {
      if (error.type !== 'max-buffer-size-exceeded') return;
      const message = `a line of its event stream is longer than ${limits.lineBytes} characters`;
      overflow = new FaultError({ kind: 'limit', phase: watch.phase, limit: 'line', message });
    },
  });
  return {
    feed(text) {
      parser.feed(text);
      if (overflow) throw overflow;
    },
  };
}
