import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** One thing that is wrong with a file; lines and columns count from 1. */
export interface FileProblem {
  line: number;
  column: number;
  /** Where in the document, as `routes[0].match`; empty for the whole. */
  path: string;
  message: string;
}

/** A file that cannot be used: every problem, with its place. */
export class FileError extends Error {
  readonly problems: readonly FileProblem[];

  constructor(name: string, problems: readonly FileProblem[]) {
    super(problems.map((problem) => `${name}:${describe(problem)}`).join('\n'));
    this.name = 'FileError';
    this.problems = problems;
  }
}

const describe = ({ line, column, path, message }: FileProblem): string =>
  `${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;

/** Far more than one that a person wrote. */
const MAX_LENGTH = 1024 * 1024;

/**
 * The value of a YAML 1.2 text (so of JSON, too) that has the schema's shape. Throws one FileError that
 * names every problem; `name` is what to call the file in it.
 */
export function parseYaml<Schema extends z.ZodType>(
  name: string,
  text: string,
  schema: Schema,
): z.output<Schema> {
  if (text.length > MAX_LENGTH) throw new FileError(name, [whole('is longer than 1 MiB')]);
  const lines = new LineCounter();
  // Few aliases: a document that multiplies itself is no configuration.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): Pick<FileProblem, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new FileError(
      name,
      faults.map(({ pos, message }) => ({ ...place(pos[0]), path: '', message })),
    );
  }
  const parsed = schema.safeParse(toValue(name, document));
  if (parsed.success) return parsed.data;
  throw new FileError(
    name,
    parsed.error.issues
      .map(({ path, message }) => ({ ...place(offsetOf(document, path)), path: pathText(path), message }))
      .sort((one, other) => one.line - other.line || one.column - other.column),
  );
}

const whole = (message: string): FileProblem => ({ line: 1, column: 1, path: '', message });

function toValue(name: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new FileError(name, [whole(error instanceof Error ? error.message : String(error))]);
  }
}

/** Where the thing at the path begins; of a thing that is missing, where its nearest parent does. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return 0;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}
