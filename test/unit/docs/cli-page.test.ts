import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/create-program.ts';
import { createProgress } from '../../../src/cli/render/progress.ts';
import { createStyle } from '../../../src/cli/render/style.ts';

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

const out = { write: () => undefined };
const program = createProgram(
  {
    // Nothing is run: only the tree of commands is looked at.
    actions: new Proxy({}, {}) as Parameters<typeof createProgram>[0]['actions'],
    io: { out, err: out, environment: {}, readFile: async () => '' },
    style: createStyle(out, {}),
    progress: createProgress(out),
    afterDashes: null,
    now: () => 0,
    exitWith: () => undefined,
  },
  '0',
);

const flatten = (command: Command, path: string[]): { path: string; flags: string[] }[] =>
  command.commands.flatMap((child) => {
    const own = [...path, child.name()];
    return [{ path: own.join(' '), flags: child.options.map(({ flags }) => flags) }, ...flatten(child, own)];
  });
const commands = flatten(program, []);

/** The page by its headings: level 2 is a command, level 3 a command below it. */
const sections = new Map(
  page
    .split(/^##+ /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] ?? '', section]),
);

test('the page and the program have the same commands', () => {
  expect([...sections.keys()].sort()).toEqual(commands.map(({ path }) => path).sort());
});

test.each(commands)('$path: every option is explained', ({ path, flags }) => {
  for (const flag of flags) expect(sections.get(path)).toContain(`\`${flag}\``);
});
