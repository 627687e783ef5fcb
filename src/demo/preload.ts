/**
 * Runs in every child before its own program, as a data: URL so that it works from source and from dist.
 * It makes the child listen on loopback only (the programs take every interface, and one of them has a
 * tool that tells its environment), tells us the port that it got, and ends it when we are gone: the IPC
 * channel closes however this process ends, SIGKILL included. SIGTERM first, since a gateway ends its
 * own child on it.
 */
const PROGRAM = `
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  this.once('listening', () => process.connected && process.send({ port: this.address().port }));
  const callback = rest.find((item) => typeof item === 'function');
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, callback);
};
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), 2000);
  process.kill(process.pid, 'SIGTERM');
});
`;

export const PRELOAD_URL = `data:text/javascript,${encodeURIComponent(PROGRAM)}`;
