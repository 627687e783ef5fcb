import { NO_ALERTS } from '../../core/alerts/alerts-config.ts';
import { DEFAULT_POLICY } from '../../core/policy.ts';
import type { Database } from '../client.ts';
import { findUntaken } from '../rollup/untaken.ts';
import { rollUpUsage } from '../rollup/usage/roll-up-usage.ts';
import { readAlertCounts } from './alert-counts.ts';
import { readTraffic } from './budgets.ts';
import { hurryFailing, readFailingCalls } from './calls.ts';
import { findDueChannels } from './deliveries.ts';
import { readUsage } from './drift.ts';
import { findAbandoned } from './give-up.ts';
import { readHealthHistory } from './health-history.ts';
import { rollUpHealth } from './health-rollup.ts';
import { readOutages, readUptime } from './health-uptime.ts';
import { findReplayStart, readHistory } from './history.ts';
import { readWindowNews } from './maintenance-news.ts';
import { readPlanInput } from './outbox.ts';
import { readRecentChecks, readServers } from './server-details.ts';
import { insertHistory } from './store-statements.ts';
import { scheduleServers } from './sweep.ts';

const DAY_MS = 86_400_000;

/** What a hot query is asked about. */
export interface HotSample {
  serverId: string;
  nowMs: number;
}

/**
 * The queries over the tables that grow with time which run for each probe, each few seconds, or while
 * somebody waits. Whoever adds one puts it here: a test explains each of them over a million rows, and lets
 * none read a partition, or a table of ours that grows, from its first row to its last. (Retention, which works
 * on a session of its own, is explained there as well.)
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
    name: 'new calls that are rolled up',
    days: null,
    run: (db) =>
      rollUpUsage(db, {
        policy: { objective: DEFAULT_POLICY.slo.objective, latency: DEFAULT_POLICY.latency },
        graceMs: 48 * 3_600_000,
      }),
  },
  { name: 'new checks that are rolled up', days: null, run: (db) => rollUpHealth(db) },
  { name: 'calls that no rollup has taken', days: null, run: (db) => findUntaken(db, 'api_usage') },
  {
    name: 'checks that no rollup has taken',
    days: null,
    run: (db) => findUntaken(db, 'mcp_server_health_check'),
  },
  {
    name: 'a server’s uptime',
    days: null,
    run: (db, { serverId, nowMs }) =>
      readUptime(db, [serverId], { fromMs: nowMs - 90 * DAY_MS + 1, toMs: nowMs }),
  },
  {
    name: 'a server’s outages',
    days: null,
    run: (db, { serverId, nowMs }) =>
      readOutages(db, [serverId], { fromMs: nowMs - 90 * DAY_MS, toMs: nowMs }),
  },
  ...[1, 30, 90].map((days) => ({
    name: `a server’s history of ${days} days`,
    days: null,
    run: (db: Database, { serverId, nowMs }: HotSample) =>
      readHealthHistory(db, [serverId], { fromMs: nowMs - days * DAY_MS, toMs: nowMs, maxPoints: 300 }),
  })),
  { name: 'alerts that fire, counted', days: null, run: readAlertCounts },
  {
    name: 'what somebody is to be told',
    days: null,
    run: (db) => readPlanInput(db, NO_ALERTS),
  },
  { name: 'what maintenance has to tell', days: null, run: (db) => readWindowNews(db) },
  { name: 'channels with something to send', days: null, run: (db) => findDueChannels(db, ['ops']) },
  { name: 'messages to channels that are gone', days: null, run: (db) => findAbandoned(db, ['ops']) },
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
