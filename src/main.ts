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

// A reader that goes away (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), listenForSignals());
