import type { Message } from '../core/alerts/compose-message.ts';
import type { Refusal } from '../core/alerts/decide-retry.ts';

/** Somewhere that messages are told. */
export interface Channel {
  /**
   * One attempt. Resolves also when it was refused; rejects only when `signal` is aborted, and then nothing is
   * known of what became of it.
   */
  send(message: Message, attempt: Attempt): Promise<Sent>;
}

export interface Attempt {
  /** The same for every attempt at one message: receivers that look at it take the message once. */
  idempotencyKey: string;
  signal: AbortSignal;
  nowMs: number;
}

export type Sent =
  | {
      state: 'accepted';
      /** What the channel said to it, in a few words. */
      answer: string;
    }
  | ({ state: 'refused' } & Refusal);
