import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';

/** Whether a connection to an anchor (a URL, or host:port) comes about; nothing is sent over it. */
export async function reachAnchor(anchor: string, signal: AbortSignal): Promise<boolean> {
  const place = placeOf(anchor);
  if (place === null || signal.aborted) return false;
  return await new Promise<boolean>((resolve) => {
    const socket = connect(place);
    const end = (reached: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(reached);
    };
    const onAbort = (): void => end(false);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

const PORTS: Record<string, number> = { 'http:': 80, 'https:': 443, 'ws:': 80, 'wss:': 443 };

/** Where an anchor is; null when it is neither a URL of http or WebSocket nor host:port. */
export function placeOf(anchor: string): { host: string; port: number } | null {
  const text = anchor.includes('://') ? anchor : `tcp://${anchor}`;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const port = url.port === '' ? PORTS[url.protocol] : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host === '' || port === undefined || port === 0 ? null : { host, port };
}

/** Whether a name resolves, by the resolver that probes use. */
export async function resolvesName(name: string, signal: AbortSignal): Promise<boolean> {
  if (isIP(name) !== 0) return true;
  const aborted = new Promise<boolean>((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });
  const resolved = lookup(name).then(
    () => true,
    () => false,
  );
  return await Promise.race([resolved, aborted]);
}
