import { readClientConfig } from './import/client-config.ts';
import { isObject, type ServerImport } from './import/imported.ts';
import { readRegistryServer } from './import/registry-server.ts';

export type { ImportedServer, RejectedServer, ServerImport } from './import/imported.ts';

function readRegistryList(items: readonly unknown[], filename: string): ServerImport {
  const all = items.map((item, index) => {
    const name = `${filename} #${index + 1}`;
    return isObject(item)
      ? readRegistryServer(item, name)
      : { servers: [], rejected: [{ name, reason: 'it is not an object' }] };
  });
  return {
    servers: all.flatMap(({ servers }) => servers),
    rejected: all.flatMap(({ rejected }) => rejected),
  };
}

/**
 * What a file, already parsed, offers for the registry: the `mcpServers` of Claude Desktop, Cursor and
 * others, the `servers` of VS Code, or the official registry's server.json, alone, wrapped or in a list.
 * Never throws: what cannot be imported is named with its reason, the whole file under `filename`.
 */
export function parseServerImport(document: unknown, filename: string): ServerImport {
  if (Array.isArray(document)) return readRegistryList(document, filename);
  if (isObject(document)) {
    if (isObject(document.mcpServers)) return readClientConfig(document.mcpServers, document.inputs);
    if (Array.isArray(document.servers)) return readRegistryList(document.servers, filename);
    if (isObject(document.servers)) return readClientConfig(document.servers, document.inputs);
    // The settings of an editor keep the same thing one level down.
    if (isObject(document.mcp)) return parseServerImport(document.mcp, filename);
    if (isObject(document.server) || 'packages' in document || 'remotes' in document)
      return readRegistryServer(document, filename);
  }
  const reason = 'it has no mcpServers, no servers, and is no server.json of the registry';
  return { servers: [], rejected: [{ name: filename, reason }] };
}
