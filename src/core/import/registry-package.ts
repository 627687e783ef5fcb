import { authOfProcess, type ImportedServer, isObject, textOf, Unusable } from './imported.ts';
import { quoteCommand } from './quote-command.ts';
import { evaluateInput, evaluateNamed, field, objectsOf } from './registry-inputs.ts';

/** An argument that only has a name is a switch; one that has any of these wants a value. */
const WANTS_VALUE = ['format', 'choices', 'placeholder', 'valueHint', 'isSecret', 'variables'];

function isSwitch(argument: Record<string, unknown>): boolean {
  return (
    textOf(argument.value) === undefined &&
    textOf(argument.default) === undefined &&
    WANTS_VALUE.every((name) => field(argument, name) === undefined)
  );
}

/** Words for the arguments that have values; a required one without makes the command line useless. */
function readArguments(value: unknown, switchesAreMeant: boolean): string[] {
  return objectsOf(value).flatMap((argument) => {
    const flag = argument.type === 'named' ? textOf(argument.name) : undefined;
    const hint = flag ?? textOf(field(argument, 'valueHint')) ?? textOf(argument.name) ?? 'an argument';
    if (flag !== undefined && switchesAreMeant && isSwitch(argument)) return [flag];
    const result = evaluateInput(argument, hint);
    if (result.kind === 'missing')
      throw new Unusable(`it needs the argument ${result.what}, which the file does not have`);
    if (result.kind === 'absent') return [];
    return flag === undefined ? [result.text] : [flag, result.text];
  });
}

interface Parts {
  identifier: string;
  version: string | undefined;
  runtime: string[];
  program: string[];
  environment: string[];
}

const versioned = ({ identifier, version }: Parts, mark: string) =>
  version === undefined ? identifier : `${identifier}${mark}${version}`;

/** The image with its version, unless the identifier has a tag or a digest already. */
function imageOf(parts: Parts, baseUrl: string | undefined): string {
  const last = parts.identifier.split('/').at(-1) ?? '';
  const tagged = /[:@]/.test(last) ? parts.identifier : versioned(parts, ':');
  const host = baseUrl === undefined ? '' : baseUrl.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const isHosted = /^[^/]+[.:][^/]*\//.test(parts.identifier);
  return host === '' || host === 'docker.io' || isHosted ? tagged : `${host}/${tagged}`;
}

type Launch = (parts: Parts, baseUrl: string | undefined) => string[];

const container =
  (engine: string): Launch =>
  (parts, baseUrl) => [
    engine,
    'run',
    '-i',
    '--rm',
    ...parts.environment.flatMap((name) => ['-e', name]),
    ...parts.runtime.filter((word, index) => !(index === 0 && word === 'run')),
    imageOf(parts, baseUrl),
    ...parts.program,
  ];

/** How each kind of package is run, by runtime; the first is taken where the file does not say. */
const LAUNCHES: Readonly<Record<string, Readonly<Record<string, Launch>>>> = {
  npm: {
    npx: (parts) => [
      'npx',
      '-y',
      ...parts.runtime.filter((word) => word !== '-y' && word !== '--yes'),
      versioned(parts, '@'),
      ...parts.program,
    ],
    bunx: (parts) => ['bunx', ...parts.runtime, versioned(parts, '@'), ...parts.program],
  },
  pypi: {
    uvx: (parts) => ['uvx', ...parts.runtime, versioned(parts, '@'), ...parts.program],
    pipx: (parts) => ['pipx', 'run', ...parts.runtime, versioned(parts, '=='), ...parts.program],
  },
  nuget: {
    dnx: (parts) => [
      'dnx',
      ...parts.runtime.filter((word) => word !== '--yes'),
      versioned(parts, '@'),
      '--yes',
      ...(parts.program.length > 0 ? ['--', ...parts.program] : []),
    ],
  },
  oci: { docker: container('docker'), podman: container('podman') },
};

/** npm and the like refuse to be given anything else as a name, and a leading dash would be an option. */
function checkWord(text: string, what: string): string {
  if (/^-|[\s\0]/.test(text)) throw new Unusable(`its ${what} is not valid`);
  return text;
}

/** The command line that starts a package of a server.json and speaks MCP over stdio. */
export function readPackage(item: Record<string, unknown>): Pick<
  ImportedServer,
  'endpointUrl' | 'transportType' | 'authType' | 'authConfig' | 'notes'
> & {
  version: string | undefined;
} {
  const type = textOf(field(item, 'registryType')) ?? textOf(field(item, 'registryName')) ?? 'unknown';
  const kind = type.toLowerCase();
  const launches = Object.hasOwn(LAUNCHES, kind) ? LAUNCHES[kind] : undefined;
  if (launches === undefined)
    throw new Unusable(`packages of the kind ${type} cannot be started by a command`);
  const transport = isObject(item.transport) ? (textOf(item.transport.type) ?? 'stdio') : 'stdio';
  if (transport !== 'stdio')
    throw new Unusable(`its package listens on ${transport} once somebody has started it: register its URL`);
  const hint = textOf(field(item, 'runtimeHint')) ?? Object.keys(launches)[0] ?? '';
  const launch = Object.hasOwn(launches, hint) ? launches[hint] : undefined;
  if (launch === undefined)
    throw new Unusable(`how to run a package of the kind ${type} with ${hint} is not known`);
  const identifier = textOf(item.identifier) ?? textOf(item.name);
  if (identifier === undefined) throw new Unusable('its package has no identifier');
  const version = textOf(item.version);
  const { values, missing } = evaluateNamed(field(item, 'environmentVariables'));
  const words = launch(
    {
      identifier: checkWord(identifier, 'package identifier'),
      version: version === undefined ? undefined : checkWord(version, 'package version'),
      runtime: readArguments(field(item, 'runtimeArguments'), true),
      program: readArguments(field(item, 'packageArguments'), false),
      environment: Object.keys(values),
    },
    textOf(field(item, 'registryBaseUrl')),
  );
  return {
    endpointUrl: quoteCommand(words),
    transportType: 'stdio',
    ...authOfProcess(values, undefined),
    version,
    notes: missing.map((name) => `it needs ${name}: add it to auth_config.custom.env`),
  };
}
