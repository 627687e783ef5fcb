import { VARIABLES } from '../../../src/config/variables.ts';

/** What .env.example has to be, from the table. */
export function renderEnvExample(): string {
  const blocks = Object.values(VARIABLES).map(({ name, meaning, shape, default: value }) =>
    [`# ${meaning}`, `# Allowed: ${shape.allowed}.`, `${name}=${value}`].join('\n'),
  );
  const head = [
    '# Every variable that mcp-vitals reads, with its default and meaning; nothing needs to be set.',
    '# Copy to .env.local (yours alone) or .env. The environment wins, then .env.local, then .env.',
    '# An empty value counts as unset.',
  ].join('\n');
  return `${[head, ...blocks].join('\n\n')}\n`;
}

/** The table of docs/configuration.md. */
export function renderDocsTable(): string {
  const rows = Object.values(VARIABLES).map(
    ({ name, meaning, shape, default: value }) =>
      `| \`${name}\` | ${value === '' ? 'unset' : `\`${value}\``} | ${meaning} | ${shape.allowed.replaceAll('|', '\\|')} |`,
  );
  return ['| variable | default | meaning | allowed |', '|---|---|---|---|', ...rows].join('\n');
}
