#!/usr/bin/env node
import { constants } from 'node:os';
import { runCommandLine } from './cli.ts';

/** The first signal asks the command to end; the second ends the process where it stands. */
function listenForSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[signal]);
      stop.abort();
    });
  }
  return stop.signal;
}

/** Whoever listens has a hangup for a wish to read the files again; without, it ends the process. */
function onHangup(listener: () => void): () => void {
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}

/**
 * postgres.js 3.4 writes what it had buffered a turn after the socket was closed under it, to no socket,
 * where nobody can catch it. The queries in question are rejected all the same: nothing is lost by going on.
 */
function isWriteAfterClose(error: unknown): boolean {
  const { message = '', stack = '' } = error instanceof TypeError ? error : {};
  return message.includes("reading 'write'") && /postgres[\\/]src[\\/]connection\.js/.test(stack);
}

process.on('uncaughtException', (error) => {
  if (isWriteAfterClose(error)) {
    process.stderr.write('mcp-vitals: a database connection was closed while it was written to\n');
    return;
  }
  process.stderr.write(`mcp-vitals: ${error.stack ?? error.message}\n`);
  process.exit(1);
});

// A reader that goes away (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  stop: listenForSignals(),
  onHangup,
});
// What could not be ended (connections that a library goes on trying to restore) must not keep the
// process; what still is to be written out has a second for it.
setTimeout(() => process.exit(), 1000).unref();
