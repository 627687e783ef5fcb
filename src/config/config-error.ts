/** One variable that cannot be used; `found` tells the value's shape, never a secret. */
export interface ConfigProblem {
  name: string;
  found: string;
  allowed: string;
}

/** All that is wrong with the configuration, at once. Nothing was started; the exit code is 2. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, found, allowed }) => `  ${name} is ${found}; allowed: ${allowed}`);
    super(
      [
        problems.length === 1
          ? 'the configuration has a problem:'
          : `the configuration has ${problems.length} problems:`,
        ...lines,
      ].join('\n'),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const SHOWN = 40;

/** What was found, safe to print: a secret's length alone, otherwise the value, cut short. */
export function describeValue(text: string, secret: boolean): string {
  const length = `a string of ${text.length} character${text.length === 1 ? '' : 's'}`;
  // A URL pasted into the wrong variable may carry a password as well.
  if (secret || text.includes('://') || text.includes('@')) return length;
  return text.length > SHOWN ? `${JSON.stringify(text.slice(0, SHOWN))}… (${length})` : JSON.stringify(text);
}
