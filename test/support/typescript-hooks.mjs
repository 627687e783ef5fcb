import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/mcp-vitals-typescript/', import.meta.url));

/** JavaScript of a source; kept, since loading the compiler takes longer than most of these children live. */
async function compile(source, url) {
  const kept = join(cache, `${createHash('sha256').update(source).digest('hex')}.mjs`);
  try {
    return await readFile(kept, 'utf8');
  } catch {
    // Not compiled yet, as it is now.
  }
  const { default: typescript } = await import('typescript');
  const { outputText } = typescript.transpileModule(source, {
    fileName: url,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2023,
      module: typescript.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  await mkdir(cache, { recursive: true });
  await writeFile(`${kept}.${process.pid}`, outputText);
  await rename(`${kept}.${process.pid}`, kept);
  return outputText;
}

/** Node's `load` hook: .ts becomes JavaScript, everything else is left to Node. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const source = await compile(await readFile(fileURLToPath(url), 'utf8'), url);
  return { format: 'module', source, shortCircuit: true };
}
