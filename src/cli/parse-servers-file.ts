import { getNodeValue, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { parseServerImport, type ServerImport } from '../core/import-servers.ts';

/** Where in the text an offset lies, counted as editors do. */
function locate(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** A file of servers, with the comments and trailing commas that editors allow in theirs. */
export function parseServersFile(text: string, filename: string): ServerImport {
  const errors: ParseError[] = [];
  const tree = parseTree(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const reason = `it is not JSON: ${printParseErrorCode(first.error)} at ${locate(text, first.offset)}`;
    return { servers: [], rejected: [{ name: filename, reason }] };
  }
  // A member called __proto__ is a server like any other here: these objects have no prototype to be set.
  return parseServerImport(tree && getNodeValue(tree), filename);
}
