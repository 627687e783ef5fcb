import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that systems hand out by themselves, so that nothing moves in later by chance. */
const [LOWEST, HIGHEST] = [20_000, 30_000];

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

/** A loopback port on which nothing listens. */
export async function findSilentPort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`);
}
