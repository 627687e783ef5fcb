import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { addAlerts, addPolicy } from './commands/alerts.ts';
import { addConfig } from './commands/config.ts';
import { addDaemon } from './commands/daemon.ts';
import { addDb } from './commands/db.ts';
import { addDemo } from './commands/demo.ts';
import { addDiff } from './commands/diff.ts';
import { addDrift } from './commands/drift.ts';
import { addEgress } from './commands/egress.ts';
import { addEnqueue } from './commands/enqueue.ts';
import { addHistory } from './commands/history.ts';
import { addMaintenance } from './commands/maintenance.ts';
import { addPin } from './commands/pin.ts';
import { addProbe } from './commands/probe.ts';
import { addReplay } from './commands/replay.ts';
import { addRollup } from './commands/rollup.ts';
import { addSecrets } from './commands/secrets.ts';
import { addServers } from './commands/servers.ts';
import { addUptime } from './commands/uptime.ts';
import { escapeLines } from './render/escape.ts';

/** The tree of commands; parsing errors are thrown, so that nobody but the caller ends the process. */
export function createProgram(context: CommandContext, version: string): Command {
  const { io } = context;
  const program = new Command('mcp-vitals')
    .description('Watches the health of a fleet of MCP servers.')
    .version(version)
    .showHelpAfterError('(--help tells how it is used)')
    .configureHelp({ helpWidth: io.out.isTTY ? (io.out.columns ?? 80) : 100 })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: (text, write) => write(escapeLines(text).replace(/^error: /, 'mcp-vitals: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  for (const add of [
    addDaemon,
    addProbe,
    addEnqueue,
    addServers,
    addMaintenance,
    addAlerts,
    addPolicy,
    addReplay,
    addUptime,
    addHistory,
    addDb,
    addDemo,
  ])
    add(program, context);
  for (const add of [addDrift, addDiff, addPin]) add(program, context);
  for (const add of [addSecrets, addEgress, addConfig, addRollup]) add(program, context);
  return program;
}
