/** What names places, people and languages; nothing that configures or unlocks the worker. */
const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TMPDIR',
  'TEMP',
  'TMP',
  'TZ',
  'USER',
  'LOGNAME',
  'SHELL',
  'SYSTEMROOT',
  'PATHEXT',
  'APPDATA',
  'USERPROFILE',
];

/** Of the worker's environment, what the command of a stdio server may see. */
export function childEnvironmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = environment[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
