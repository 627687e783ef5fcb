import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type KeeperMessage, onMessages, send, userMessage } from './keeper-protocol.ts';

const JOIN_MS = 5_000;

export interface KeeperUsers {
  port: number;
  /** Tells every user, and those who come later what was told last. */
  tell(message: KeeperMessage): void;
  /** Takes no new users from now on. */
  closeDoor(): void;
  /** Lets those who are there go, in good order. */
  letGo(): Promise<void>;
}

export interface UserEvents {
  onJoin(): void;
  /** The last one has gone: it took its leave (and waits for the end), or was cut off. */
  onEmpty(how: 'left' | 'cut off'): void;
}

function sameToken(given: string, token: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Listens on a loopback port for the processes that use the database. Each holds one connection for
 * as long as it does; the kernel closes it when the process ends, however that happens.
 */
export async function receiveUsers(token: string, events: UserEvents): Promise<KeeperUsers> {
  const users = new Set<Socket>();
  const told = new Map<KeeperMessage['type'], KeeperMessage>();
  let open = true;

  function leave(socket: Socket): void {
    users.delete(socket);
    if (users.size > 0) {
      send(socket, { type: 'bye' });
      socket.end();
    } else {
      users.add(socket); // the last one waits for the end of the server
      events.onEmpty('left');
    }
  }

  function receive(socket: Socket): void {
    const joined = setTimeout(() => socket.destroy(), JOIN_MS);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(joined);
      if (users.delete(socket) && users.size === 0) events.onEmpty('cut off');
    });
    onMessages(socket, userMessage, (message) => {
      if (message.type === 'leave') {
        if (users.has(socket)) leave(socket);
      } else if (!open || !sameToken(message.token, token)) {
        socket.destroy();
      } else {
        clearTimeout(joined);
        users.add(socket);
        events.onJoin();
        send(socket, { type: 'hello' });
        for (const earlier of told.values()) send(socket, earlier);
      }
    });
  }

  const server: Server = createServer(receive).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the keeper has no port');
  return {
    port: address.port,
    tell(message) {
      if (message.type !== 'progress') told.clear();
      told.set(message.type, message);
      for (const user of users) send(user, message);
    },
    closeDoor() {
      if (open) server.close();
      open = false;
    },
    async letGo() {
      const gone = [...users].map(
        (user) =>
          new Promise<void>((resolve) => {
            const late = setTimeout(() => user.destroy(), 1_000);
            user.once('close', () => {
              clearTimeout(late);
              resolve();
            });
            send(user, { type: 'bye' });
            user.end();
          }),
      );
      await Promise.all(gone);
    },
  };
}
