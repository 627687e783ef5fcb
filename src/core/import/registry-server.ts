import type { TransportType } from '../target.ts';
import {
  authOfHeaders,
  checkUrl,
  type ImportedServer,
  isObject,
  type ServerImport,
  textOf,
  Unusable,
} from './imported.ts';
import { evaluateNamed, field, fillTemplate, objectsOf } from './registry-inputs.ts';
import { readPackage } from './registry-package.ts';

const REMOTE_TRANSPORTS: Readonly<Record<string, TransportType>> = {
  'streamable-http': 'http',
  streamable: 'http',
  http: 'http',
  sse: 'sse',
  websocket: 'websocket',
};

const OFFICIAL = 'io.modelcontextprotocol.registry/official';

type Reached = Omit<ImportedServer, 'name' | 'description' | 'version'> & { version?: string | undefined };

function readRemote(item: Record<string, unknown>): Reached {
  const type = textOf(item.type) ?? textOf(field(item, 'transportType')) ?? 'streamable-http';
  const transport = Object.hasOwn(REMOTE_TRANSPORTS, type) ? REMOTE_TRANSPORTS[type] : undefined;
  if (transport === undefined) throw new Unusable(`its transport ${JSON.stringify(type)} is not known`);
  const template = textOf(item.url);
  if (template === undefined) throw new Unusable('it has no url');
  const { text: endpointUrl, missing } = fillTemplate(template, item.variables);
  if (missing.length > 0)
    throw new Unusable(`its URL needs ${missing.join(' and ')}, which the file does not have`);
  const headers = evaluateNamed(item.headers);
  return {
    endpointUrl,
    transportType: checkUrl(endpointUrl, transport),
    ...authOfHeaders(headers.values),
    notes: headers.missing.map((name) => `it needs the header ${name}: add it to auth_config`),
  };
}

/** What the registry itself says of an entry; beside the server in newer answers, inside it in older. */
function officialOf(server: Record<string, unknown>, wrapper: Record<string, unknown>) {
  const all = [wrapper._meta, server._meta].filter(isObject).map((meta) => meta[OFFICIAL]);
  return all.find(isObject) ?? {};
}

function checkStatus(server: Record<string, unknown>, wrapper: Record<string, unknown>, notes: string[]) {
  const official = officialOf(server, wrapper);
  const status = textOf(official.status) ?? textOf(server.status);
  if (status === 'deleted') throw new Unusable('the registry has deleted it');
  if (field(official, 'isLatest') === false) throw new Unusable('the registry has a newer version of it');
  if (status === 'deprecated') notes.push('its authors call it deprecated');
}

/**
 * One entry of the official registry: a row for every address it is reached at, and for every package
 * that starts it; told apart by a suffix where there are several.
 */
export function readRegistryServer(entry: Record<string, unknown>, fallbackName: string): ServerImport {
  const server = isObject(entry.server) ? entry.server : entry;
  const name = textOf(server.name) ?? fallbackName;
  const result: ServerImport = { servers: [], rejected: [] };
  const notes: string[] = [];
  try {
    checkStatus(server, entry, notes);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { servers: [], rejected: [{ name, reason: error.message }] };
  }
  const detail = field(server, 'versionDetail');
  const version = textOf(server.version) ?? (isObject(detail) ? textOf(detail.version) : undefined);
  const ways = [
    ...objectsOf(server.remotes).map((item) => ({
      label: textOf(item.type) ?? textOf(field(item, 'transportType')) ?? 'remote',
      read: () => readRemote(item),
    })),
    ...objectsOf(server.packages).map((item) => ({
      label: textOf(field(item, 'registryType')) ?? 'package',
      read: (): Reached => readPackage(item),
    })),
  ];
  if (ways.length === 0) result.rejected.push({ name, reason: 'it has neither remotes nor packages' });
  const seen = new Map<string, number>();
  for (const { label, read } of ways) {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    const ownName = ways.length === 1 ? name : `${name} (${label}${count > 1 ? ` ${count}` : ''})`;
    try {
      const { version: packageVersion, ...reached } = read();
      result.servers.push({
        ...reached,
        name: ownName,
        description: textOf(server.description) ?? null,
        version: version ?? packageVersion ?? null,
        notes: [...notes, ...reached.notes],
      });
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      result.rejected.push({ name: ownName, reason: error.message });
    }
  }
  return result;
}
