import { type CliIo, CommandFailed } from './cli-io.ts';
import { escapeText } from './render/escape.ts';

/** A file's text; a file that cannot be read is a failure that names it. */
export async function readFileText(file: string, io: CliIo): Promise<string> {
  try {
    return await io.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    throw new CommandFailed(`${escapeText(file)}: ${code === 'ENOENT' ? 'there is no such file' : code}`);
  }
}
