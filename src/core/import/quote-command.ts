const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;

function quoteWord(word: string): string {
  if (SAFE.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command line with POSIX quoting, as endpoint_url holds it for stdio. */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}
