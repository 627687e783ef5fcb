import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Fault } from '../../core/outcome.ts';

/** An SDK transport that can say why it failed, and that leaves nothing behind when it ends. */
export interface ProbeTransport extends Transport {
  /** Why nothing more will come, once that is so; null before. */
  readonly failure: Fault | null;
  /** Something that was received in place of a message, when there was any: it explains a silence. */
  readonly suspect: string | null;
  /** Headers that calls carry besides; for transports whose messages have headers. */
  setCallHeaders?(headers: Record<string, string>): void;
  /**
   * Ends the session at the target, then every socket or process, within `graceMs`. Never rejects; a
   * second call joins the first. `close()` is the same with the default grace.
   */
  end(graceMs: number): Promise<void>;
}
