import { DEFAULT_POLICY } from '../../core/policy.ts';
import type { Database } from '../client.ts';
import { readTraffic } from './budgets.ts';
import { hurryFailing, readFailingCalls } from './calls.ts';
import { readUsage } from './drift.ts';
import { findReplayStart, readHistory } from './history.ts';
import { readRecentChecks, readServers } from './server-details.ts';
import { insertHistory } from './store-statements.ts';
import { scheduleServers } from './sweep.ts';

/** What a hot query is asked about. */
export interface HotSample {
  serverId: string;
  nowMs: number;
}

/**
 * The queries over the tables that grow with time which run for each probe, each few seconds, or while
 * somebody waits. Whoever adds one puts it here: a test explains each of them over a million rows, and lets
 * none read a partition from its first row to its last.
 */
export const HOT_QUERIES: readonly {
  name: string;
  /** How many days before now it reads; all there are, when it is null. */
  days: number | null;
  run: (db: Database, sample: HotSample) => Promise<unknown>;
}[] = [
  {
    name: 'the calls of a server that is stored',
    days: 1,
    run: (db, { serverId, nowMs }) => readFailingCalls(db, [serverId], DEFAULT_POLICY.calls, nowMs),
  },
  { name: 'servers whose calls begin to fail', days: 1, run: (db) => hurryFailing(db, DEFAULT_POLICY.calls) },
  {
    name: 'the traffic since the last probe',
    days: 1,
    run: (db, { serverId, nowMs }) =>
      readTraffic(db, {
        serverId,
        nowMs,
        slotMs: nowMs,
        lastProbeMs: nowMs - 300_000,
        hurriedMs: null,
        intervalMs: 300_000,
        isUp: true,
        probesToday: 0,
        bytesToday: 0,
      }),
  },
  {
    name: 'the calls of the tools that changed',
    days: 7,
    run: (db, { serverId }) => readUsage(db, serverId, ['search']),
  },
  {
    name: 'the history that a server comes with',
    days: 30,
    run: (db, { serverId, nowMs }) => scheduleServers(db, [{ serverId, hostKey: '', nextProbeMs: nowMs }]),
  },
  {
    name: 'one server’s newest checks',
    days: null,
    run: (db, { serverId }) => readRecentChecks(db, serverId, 20),
  },
  {
    name: 'the last check of each server',
    days: null,
    run: (db, { serverId }) => readServers(db, { ids: [serverId] }),
  },
  {
    name: 'the start of a replay',
    days: null,
    run: (db, { serverId, nowMs }) => findReplayStart(db, serverId, nowMs - 86_400_000),
  },
  {
    name: 'a page of a replay',
    days: 1,
    run: (db, { serverId, nowMs }) => readHistory(db, serverId, nowMs - 86_400_000).next(),
  },
  {
    name: 'a check that is stored',
    days: 0,
    run: (db, { serverId, nowMs }) =>
      insertHistory(
        db,
        JSON.stringify([
          { serverId, check: 'healthy', responseMs: 5, checkedAt: new Date(nowMs).toISOString() },
        ]),
      ),
  },
];
