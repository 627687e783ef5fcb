import { splitCommandLine } from './command-line.ts';

/** Which commands may be run: each entry is how a command line has to begin, word by word. null: any. */
export type CommandPolicy = readonly (readonly string[])[] | null;

/**
 * Prefixes written one after the other, separated by commas, with POSIX quoting within each; undefined when
 * one cannot be read. A comma within quotes, or behind a backslash, belongs to its word.
 */
export function parseCommandPrefixes(text: string): string[][] | undefined {
  const prefixes: string[][] = [];
  for (const entry of splitAtCommas(text)) {
    const split = splitCommandLine(entry);
    if ('problem' in split) return undefined;
    if (split.words.length > 0) prefixes.push(split.words);
  }
  return prefixes;
}

function splitAtCommas(text: string): string[] {
  const entries = [''];
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === ',' && quote === '') {
      entries.push('');
      continue;
    }
    let taken = char;
    if (char === '\\' && quote !== "'") {
      taken += text[at + 1] ?? '';
      at += 1;
    } else if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") {
      quote = char;
    }
    entries[entries.length - 1] += taken;
  }
  return entries;
}

/**
 * Variables that make a permitted command run something else: where programs and libraries are looked
 * for, and what an interpreter loads first. A list of what is known; no such list is complete.
 */
const STEERING =
  /^(PATH|PATHEXT|HOME|SHELL|ENV|BASH_ENV|IFS|CDPATH|ZDOTDIR|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|(LD|DYLD|GLIBC|MALLOC)_.*|NODE_.*|(NPM|npm|PNPM|pnpm|YARN|yarn|BUN|DENO|UV|PIP|PIPX|POETRY|CARGO|GO|DOCKER|DOTNET|COREHOST|XDG|GIT|SSH)_.*|GOFLAGS|PYTHON.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|JAVA_.*|_JAVA_.*|JDK_.*|CLASSPATH|LUA_.*|PHP.*|TCL.*|ELECTRON_.*|BROWSER|EDITOR|PAGER|VISUAL|MCP_VITALS_.*)$/;

/** Why this command may not be run; null when it may. `environment` names what the registry's row sets. */
export function commandRefusal(
  policy: CommandPolicy,
  words: readonly string[],
  environment: readonly string[] = [],
): string | null {
  if (policy === null) return null;
  const listed = policy.some((prefix) => prefix.length > 0 && prefix.every((word, at) => word === words[at]));
  if (!listed) return 'its command is not listed in VITALS_STDIO_ALLOW';
  const steering = environment.find((name) => STEERING.test(name));
  return steering === undefined
    ? null
    : `its environment sets ${steering.slice(0, 60)}, which could make a permitted command run another one`;
}
