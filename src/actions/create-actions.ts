import type { Actions } from '../cli/actions.ts';
import type { ActionContext } from './context.ts';

/**
 * What stands behind the commands. Each action is loaded when it is called: the whole product takes a
 * second to load, and `--help` or one probe should not wait for parts that they do not use.
 */
export function createActions(context: ActionContext): Actions {
  const database = async () => (await import('./database.ts')).databaseActions(context);
  return {
    runDaemon: async (options) => (await import('./run-daemon.ts')).runDaemon(context, options),
    runDemo: async ({ report }) => (await import('./run-demo.ts')).runDemo(context, report),
    probe: async (command) => (await import('./probe.ts')).probeOnce(context, command),
    checkEgress: async (command) => (await import('./egress.ts')).checkEgress(context, command),
    enqueue: async (command) => (await import('./enqueue.ts')).enqueueProbes(context, command),
    addServers: async (added) => (await import('./servers.ts')).addServers(context, added),
    listServers: async (filter) => (await import('./servers.ts')).listServers(context, filter),
    showServer: async (idOrName) => (await import('./servers.ts')).showServer(context, idOrName),
    showMonitor: async (idOrName) => (await import('./monitor-settings.ts')).showMonitor(context, idOrName),
    setMonitor: async (idOrName, monitor) =>
      (await import('./monitor-settings.ts')).setMonitor(context, idOrName, monitor),
    removeServers: async (ids) => (await import('./servers.ts')).removeServers(context, ids),
    checkAlertsFile: async (path) => (await import('./alerts.ts')).checkAlertsFile(context, path),
    checkPolicyFile: async (path) => (await import('./alerts.ts')).checkPolicyFile(path),
    testChannel: async (request) => (await import('./alerts.ts')).testChannel(context, request),
    listAlerts: async (filter) => (await import('./alerts.ts')).listAlerts(context, filter),
    readDrift: async (...args) => (await import('./drift.ts')).readDrift(context, ...args),
    diffInventories: async (...args) => (await import('./drift.ts')).diffServer(context, ...args),
    pinInventory: async (...args) => (await import('./pins.ts')).pinInventory(context, ...args),
    unpinInventory: async (id) => (await import('./pins.ts')).unpinInventory(context, id),
    listPins: async (id) => (await import('./pins.ts')).listPins(context, id),
    replay: async (command) => (await import('./replay.ts')).replayServer(context, command),
    readUptime: async (...args) => (await import('./health-history.ts')).readUptimeOf(context, ...args),
    readHistory: async (...args) => (await import('./health-history.ts')).readHistoryOf(context, ...args),
    rollUp: async (command) => (await import('./rollup.ts')).rollUpRange(context, command),
    addMaintenance: async (window) => (await import('./maintenance.ts')).addMaintenance(context, window),
    listMaintenance: async () => (await import('./maintenance.ts')).listMaintenance(context),
    endMaintenance: async (id, how) => (await import('./maintenance.ts')).endMaintenance(context, id, how),
    secrets: async (command) => (await import('./secrets.ts')).runSecrets(context, command),
    dbGenerate: async (options) => (await database()).dbGenerate(options),
    dbMigrate: async () => (await database()).dbMigrate(),
    dbPush: async (options) => (await database()).dbPush(options),
    dbStudio: async (options) => (await database()).dbStudio(options),
    dbSeed: async () => (await database()).dbSeed(),
    dbReset: async (options) => (await database()).dbReset(options),
    dbResetAndSeed: async (options) => (await database()).dbResetAndSeed(options),
    dbIntrospect: async () => (await database()).dbIntrospect(),
    dbAdopt: async () => (await database()).dbAdopt(),
    dbPartition: async (options) => (await database()).dbPartition(options),
    listSettings: async () => (await import('./settings.ts')).settingsActions(context).listSettings(),
    setSetting: async (...args) =>
      (await import('./settings.ts')).settingsActions(context).setSetting(...args),
  };
}
