import type { Actions } from '../cli/actions.ts';
import type { ActionContext } from './context.ts';
import { databaseActions } from './database.ts';
import { enqueueProbes } from './enqueue.ts';
import { probeOnce } from './probe.ts';
import { runDaemon } from './run-daemon.ts';
import { runDemo } from './run-demo.ts';
import { addServers, listServers, removeServers, showServer } from './servers.ts';

/** What stands behind the commands. */
export function createActions(context: ActionContext): Actions {
  return {
    runDaemon: (options) => runDaemon(context, options),
    runDemo: ({ report }) => runDemo(context, report),
    probe: (command) => probeOnce(context, command),
    enqueue: (command) => enqueueProbes(context, command),
    addServers: (servers) => addServers(context, servers),
    listServers: (filter) => listServers(context, filter),
    showServer: (idOrName) => showServer(context, idOrName),
    removeServers: (ids) => removeServers(context, ids),
    ...databaseActions(context),
  };
}
