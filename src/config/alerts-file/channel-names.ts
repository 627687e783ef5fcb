interface NameProblem {
  path: (string | number)[];
  message: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Channels that routes name and nobody defined; reads the file as it is, other mistakes and all. */
export function findUnknownChannels(file: unknown): NameProblem[] {
  if (!isObject(file)) return [];
  const known = isObject(file.channels) ? Object.keys(file.channels) : [];
  const inDefault = isObject(file.default) ? unknownOf(file.default.channels, known, ['default']) : [];
  const routes = Array.isArray(file.routes) ? file.routes : [];
  return [
    ...inDefault,
    ...routes.flatMap((route: unknown, index) =>
      isObject(route) ? unknownOf(route.channels, known, ['routes', index]) : [],
    ),
  ];
}

function unknownOf(names: unknown, known: readonly string[], path: (string | number)[]): NameProblem[] {
  if (!Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index) =>
    typeof name !== 'string' || known.includes(name)
      ? []
      : [
          {
            path: [...path, 'channels', index],
            message: `no channel is called ${JSON.stringify(name.slice(0, 80))}${known.length === 0 ? '' : `; there are ${known.slice(0, 20).join(', ')}`}`,
          },
        ],
  );
}
