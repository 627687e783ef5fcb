import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { anchorPlace } from '../core/self-check/anchor-place.ts';

/** Whether a connection to an anchor (a URL, or host:port) comes about; nothing is sent over it. */
export async function reachAnchor(anchor: string, signal: AbortSignal): Promise<boolean> {
  const place = anchorPlace(anchor);
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
