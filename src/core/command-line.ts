/** Splits a command line by POSIX quoting, or says what a shell would have to do that nobody does here. */
export type CommandLine = { words: string[] } | { problem: string };

const OPERATORS = new Set(['|', '&', ';', '<', '>', '(', ')', '`']);
/** What a backslash quotes within double quotes; before anything else it stands for itself. */
const DOUBLE_QUOTED_ESCAPES = new Set(['"', '\\', '$', '`']);

/** Whether a `$` at `at` begins what a shell would replace: a variable, or one of its special parameters. */
const expands = (text: string, at: number) => text[at] === '$' && /[\w{('"@*#?$!-]/.test(text[at + 1] ?? '');

/**
 * Words of `text` as a POSIX shell would see them, without a shell: quotes and backslashes work, globs
 * and `~` are literal text, and what only a shell can do (pipes, variables, …) is a problem.
 */
export function splitCommandLine(text: string): CommandLine {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const next = text[at + 1];
    if (quote === "'") {
      if (char === "'") quote = undefined;
      else word += char;
    } else if (
      char === '\\' &&
      next !== undefined &&
      (!quote || DOUBLE_QUOTED_ESCAPES.has(next) || next === '\n')
    ) {
      // A backslash before a line break continues the line, and leaves nothing of either.
      if (next !== '\n') word = (word ?? '') + next;
      at += 1;
    } else if (char === '\\' && next === undefined) {
      return { problem: 'it ends in a backslash' };
    } else if (expands(text, at)) {
      return { problem: `a shell would replace ${text.slice(at, at + 2)}…; quote it with ' if it is meant` };
    } else if (quote === '"') {
      if (char === '"') quote = undefined;
      else if (char === '`')
        return { problem: 'a shell would run what is between the `; quote it with '.concat("'") };
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (OPERATORS.has(char)) {
      return { problem: `it is not given to a shell, so ${char} does not work; quote it if it is meant` };
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote) return { problem: `a ${quote} is not closed` };
  if (word !== undefined) words.push(word);
  return { words };
}
