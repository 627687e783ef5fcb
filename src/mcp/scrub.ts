import type { CanaryOutcome, Fault, ServerInfo, Warning } from '../core/outcome.ts';
import { TextReplacer } from '../core/replace-text.ts';
import { runAtOnce, type Sliced } from '../core/slices.ts';
import type { ProbeTarget } from '../core/target.ts';
import type { Hide } from './scrub-content.ts';
import { secretsOf } from './secrets-of.ts';

/** Shorter values are no secrets, and hiding them would eat into every message. */
const MIN_SECRET_LENGTH = 4;
const MIN_CONTENT_SECRET_LENGTH = 8;
const MAX_MESSAGE_LENGTH = 500;
const MAX_NAME_LENGTH = 200;
/**
 * What is looked at of a text; a hostile server may send one of megabytes. Less than what is ever read of
 * a refusal, so that one that was cut there is known to be cut.
 */
const MAX_READ_LENGTH = 12 * 1024;
const MAX_STDERR_LENGTH = 4_000;
/** Secrets that are looked for in one text before others have their turn. */
const SLICE = 100;
const HIDDEN = '***';

/** What stands before a text of which the beginning was not kept. */
export const CUT_MARK = '…';

/** Control characters, also those that turn the direction of text; line breaks are kept in stderr only. */
const CONTROL = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu;
const CONTROL_BUT_BREAKS = /(?:(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029])+/gu;

/** Makes text that a target (or a library) wrote safe to store and to show. */
export class Scrubber {
  #secrets: TextReplacer[] = [];

  /** Hides `value` from now on, also where it is percent- or base64-encoded. */
  learn(value: string): void {
    if (value.length < MIN_SECRET_LENGTH) return;
    const forms = new Set([
      value,
      encodeURIComponent(value),
      new URLSearchParams({ v: value }).toString().slice(2),
      JSON.stringify(value).slice(1, -1),
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
    ]);
    for (const form of forms) this.#secrets.push(new TextReplacer(form));
    // The longest first, so that a value inside another does not leave the rest of it to be read.
    this.#secrets.sort((one, other) => other.length - one.length);
  }

  /** One line without secrets and control characters, cut to a storable length. */
  line(text: string, maxLength = MAX_MESSAGE_LENGTH): string {
    return cut(this.#hide(text).replace(CONTROL, ' ').trim(), maxLength);
  }

  /** The same for several lines, of which the end is worth most; `isCut` when their beginning is missing. */
  lines(text: string, isCut = false): string {
    // Half a secret may stand where the text was cut: nothing of that length is shown.
    const whole = isCut ? this.#hide(text).slice(this.#secrets[0]?.length ?? 0) : this.#hide(text);
    const clean = whole.replace(CONTROL_BUT_BREAKS, ' ').trim();
    return clean.length > MAX_STDERR_LENGTH ? CUT_MARK + clean.slice(-MAX_STDERR_LENGTH) : clean;
  }

  fault(fault: Fault): Fault {
    const clean = { ...fault, message: this.line(fault.message) };
    if (clean.kind === 'exit') clean.stderr = this.lines(clean.stderr, clean.stderr.startsWith(CUT_MARK));
    if (clean.kind === 'http') {
      if (clean.challenge !== undefined) clean.challenge = this.line(clean.challenge);
      if (clean.wants) {
        const { servers, scopes } = clean.wants;
        clean.wants = {
          servers: servers.map((text) => this.line(text)),
          scopes: scopes.map((text) => this.line(text)),
        };
      }
      if (clean.location !== undefined) clean.location = this.line(clean.location);
    }
    if (clean.kind === 'version') clean.offered = this.line(clean.offered, 100);
    return clean;
  }

  /** What a server calls itself, in a length that fits any column. */
  serverInfo({ name, version, title }: ServerInfo): ServerInfo {
    const clean = { name: this.line(name, MAX_NAME_LENGTH), version: this.line(version, MAX_NAME_LENGTH) };
    return title === undefined ? clean : { ...clean, title: this.line(title, MAX_NAME_LENGTH) };
  }

  /** Of a tool's result nothing is kept but what a failure shows of it. */
  canary(canary: CanaryOutcome): CanaryOutcome {
    const { tool, failure } = canary;
    return { ...canary, tool: this.line(tool), failure: failure === null ? null : this.line(failure) };
  }

  warning(warning: Warning): Warning {
    return { ...warning, message: this.line(warning.message) };
  }

  /**
   * Takes secrets out of what is stored whole: definitions, capabilities, instructions. Short ones stay, as
   * they would be found in ordinary words. null when there is nothing to look for.
   */
  get content(): Hide | null {
    const secrets = this.#secrets.filter(({ length }) => length >= MIN_CONTENT_SECRET_LENGTH);
    if (secrets.length === 0) return null;
    return (text) => hideAll(text, secrets);
  }

  #hide(text: string): string {
    const hidden = runAtOnce(hideAll(text.slice(0, MAX_READ_LENGTH), this.#secrets));
    // Where a long text was cut, half a secret may stand at the end.
    const [longest] = this.#secrets;
    if (text.length > MAX_READ_LENGTH && longest) return hidden.slice(0, -longest.length);
    return hidden;
  }
}

function* hideAll(text: string, secrets: readonly TextReplacer[]): Sliced<string> {
  let hidden = text;
  for (const [place, secret] of secrets.entries()) {
    if (place % SLICE === SLICE - 1) yield;
    hidden = yield* secret.replace(hidden, HIDDEN);
  }
  return hidden;
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}

/** Knows every secret that a target brings, and the tokens that were issued for it. */
export function createScrubber(target: ProbeTarget, tokens: readonly string[]): Scrubber {
  const scrubber = new Scrubber();
  for (const secret of [...tokens, ...secretsOf(target)]) scrubber.learn(secret);
  return scrubber;
}
