import { Unusable } from './imported.ts';

/** An input that an editor would ask its user for, by its id. */
export interface EditorInput {
  description: string | undefined;
  /** The answer when the user gives none. */
  fallback: string | undefined;
}

const VARIABLE = /\$\{([^}]*)\}/g;
const WITH_FALLBACK = /^([A-Za-z_]\w*):-(.*)$/;

function describeInput(id: string, input: EditorInput | undefined): string {
  const description = input?.description ? ` (${input.description})` : '';
  return `it needs the input "${id}"${description}, whose value the file does not have`;
}

/**
 * Puts values into `${…}`. What only an editor, its user or their environment knows makes a server
 * unusable: a row with a hole in it would be reported as the server's fault. A variable that the server
 * is given in its own environment is left to it: some put them into their arguments themselves.
 */
export function createVariableResolver(
  inputs: ReadonlyMap<string, EditorInput>,
  notes: Set<string>,
  own: ReadonlySet<string> = new Set(),
) {
  function evaluate(expression: string): string {
    if (own.has(expression)) return `\${${expression}}`;
    const input = /^input:(.*)$/.exec(expression)?.[1];
    if (input !== undefined) {
      const known = inputs.get(input);
      if (known?.fallback === undefined) throw new Unusable(describeInput(input, known));
      notes.add(`the input "${input}" has its default value`);
      return known.fallback;
    }
    const fallback = WITH_FALLBACK.exec(expression);
    if (fallback) {
      notes.add(`the environment variable ${fallback[1] ?? ''} has its default value`);
      return fallback[2] ?? '';
    }
    const variable = /^(?:env:)?([A-Za-z_]\w*)$/.exec(expression);
    if (variable && (expression.startsWith('env:') || /^[A-Z_][A-Z0-9_]*$/.test(expression)))
      throw new Unusable(
        `it needs the environment variable ${variable[1] ?? ''}, whose value the file does not have`,
      );
    throw new Unusable(`it needs \${${expression}}, which only the editor knows`);
  }
  return (text: string) => text.replace(VARIABLE, (_match, expression: string) => evaluate(expression));
}
