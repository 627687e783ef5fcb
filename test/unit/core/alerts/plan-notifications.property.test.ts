import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KnownAlert } from '../../../../src/core/alerts/known-alert.ts';
import {
  concernedGroups,
  groupId,
  type OutboxEntry,
  type PlannedDelivery,
  planNotifications,
  type Told,
} from '../../../../src/core/alerts/plan-notifications.ts';
import type { Suppression } from '../../../../src/core/alerts/reason-to-hold.ts';
import { alertOf, configOf, REPEAT_MS } from './planning.ts';

const SERVERS = ['a', 'b', 'c'];
const CHANNELS = ['one', 'two'];

type Step =
  | { do: 'fire' | 'resolve' | 'flap' | 'calm' | 'restore'; server: string }
  | { do: 'mute'; server: string; because: Suppression['because'] }
  | { do: 'gather' | 'scatter' }
  | { do: 'tick'; ms: number }
  | { do: 'accept' | 'give up'; channel: string };

const server = fc.constantFrom(...SERVERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('fire' as const, 'resolve' as const), server }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('flap' as const, 'calm' as const, 'restore' as const),
      server,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('mute' as const),
      server,
      because: fc.constantFrom('maintenance' as const, 'dependency' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('gather' as const, 'scatter' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('tick' as const),
      ms: fc.constantFrom(0, 40, 500, 5_000, REPEAT_MS, 3 * REPEAT_MS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('accept' as const), channel: fc.constantFrom(...CHANNELS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('give up' as const), channel: fc.constantFrom(...CHANNELS) }),
  },
);

const config = configOf({ channels: [], groupWaitMs: 100, groupIntervalMs: 1_000 }, [
  { match: { servers: ['a', 'b'] }, channels: ['one'], continue: true, groupBy: 'all' },
  { channels: ['two', 'one'] },
]);

/** What the database and the receivers do, as simply as it can be said. */
class World {
  nowMs = 1_000;
  alerts: KnownAlert[] = [];
  entries: (OutboxEntry & { done: boolean })[] = [];
  told: Told[] = [];
  deliveries: (PlannedDelivery & { atMs: number; state: 'waiting' | 'accepted' | 'given up' })[] = [];
  mutes = new Map<string, Suppression>();
  log: { channel: string; alertId: string; said: string; atMs: number }[] = [];

  firing(key: string): KnownAlert | undefined {
    return this.alerts.find((alert) => alert.key === key && alert.resolvedAtMs === null);
  }

  begin(key: string, changes: Partial<KnownAlert>): void {
    if (this.firing(key)) return;
    const alert = alertOf(`alert${this.alerts.length}`, { key, startedAtMs: this.nowMs, ...changes });
    this.alerts.push(alert);
    this.enter(alert.id, 'fire');
  }

  end(key: string): void {
    const alert = this.firing(key);
    if (!alert) return;
    this.alerts = this.alerts.map((one) => (one === alert ? { ...one, resolvedAtMs: this.nowMs } : one));
    this.enter(alert.id, 'resolve');
  }

  private enter(alertId: string, transition: 'fire' | 'resolve'): void {
    const id = this.entries.length + 1;
    this.entries.push({ id, alertId, transition, createdAtMs: this.nowMs, heldBecause: null, done: false });
  }

  plan(): void {
    const waiting = this.entries.filter(({ done }) => !done);
    const known = new Set(waiting.map(({ alertId }) => alertId));
    const alerts = this.alerts.filter(({ id, resolvedAtMs }) => resolvedAtMs === null || known.has(id));
    const told = this.told.filter(({ alertId }) => alerts.some(({ id }) => id === alertId));
    // As the database answers it: the last message of each group that is asked for.
    const groups = new Map(
      concernedGroups({ alerts, told, config }).flatMap(({ channel, groupKey }) => {
        const last = this.deliveries.findLast((one) => one.channel === channel && one.groupKey === groupKey);
        return last
          ? [[groupId(channel, groupKey), { lastAtMs: last.atMs, waiting: last.state === 'waiting' }]]
          : [];
      }),
    );
    const plan = planNotifications({
      nowMs: this.nowMs,
      alerts,
      entries: waiting,
      told,
      groups,
      suppressions: this.mutes,
      config,
    });
    for (const delivery of plan.deliveries) {
      this.checkMuted(delivery);
      this.deliveries.push({ ...delivery, atMs: this.nowMs, state: 'waiting' });
      for (const { alertId, transition } of delivery.transitions)
        this.note(delivery, alertId, transition === 'resolve');
    }
    for (const { id, because } of [...plan.held, ...plan.done]) this.entryOf(id).heldBecause = because;
    for (const { id } of plan.done) this.entryOf(id).done = true;
  }

  private entryOf(id: number): OutboxEntry & { done: boolean } {
    const entry = this.entries[id - 1];
    if (!entry) throw new Error(`no entry ${id}`);
    return entry;
  }

  private note({ channel, groupKey }: PlannedDelivery, alertId: string, resolved: boolean): void {
    const known = this.told.find((one) => one.alertId === alertId && one.channel === channel);
    if (known)
      Object.assign(known, { lastAtMs: this.nowMs, resolved: known.resolved || resolved, failed: false });
    else this.told.push({ alertId, channel, groupKey, lastAtMs: this.nowMs, resolved, failed: false });
  }

  private checkMuted({ transitions }: PlannedDelivery): void {
    for (const { alertId, transition } of transitions) {
      const alert = this.alerts.find(({ id }) => id === alertId);
      if (transition !== 'resolve' && alert?.server && alert.kind === 'server_down')
        expect(this.mutes.has(alert.server.id)).toBe(false);
    }
  }

  /** The first message of each group is taken. */
  accept(channel: string): void {
    for (const delivery of this.firstOfGroups(channel)) {
      delivery.state = 'accepted';
      for (const { alertId, transition } of delivery.transitions) {
        this.log.push({ channel, alertId, said: transition, atMs: this.nowMs });
        const known = this.told.find((one) => one.alertId === alertId && one.channel === channel);
        if (known) known.lastAtMs = this.nowMs;
      }
    }
  }

  giveUp(channel: string): void {
    const [delivery] = this.firstOfGroups(channel);
    if (!delivery) return;
    delivery.state = 'given up';
    const began = delivery.transitions
      .filter(({ transition }) => transition === 'fire')
      .map(({ alertId }) => alertId);
    for (const known of this.told)
      if (known.channel === channel && began.includes(known.alertId))
        Object.assign(known, { failed: true, lastAtMs: this.nowMs });
    for (const behind of this.deliveries) {
      if (behind.state !== 'waiting' || behind.channel !== channel || behind.groupKey !== delivery.groupKey)
        continue;
      behind.transitions = behind.transitions.filter(({ alertId }) => !began.includes(alertId));
      if (behind.transitions.length === 0) behind.state = 'given up';
    }
  }

  private firstOfGroups(channel: string) {
    const seen = new Set<string>();
    return this.deliveries.filter(({ state, channel: to, groupKey }) => {
      if (state !== 'waiting' || to !== channel || seen.has(groupKey)) return false;
      seen.add(groupKey);
      return true;
    });
  }

  take(step: Step): void {
    switch (step.do) {
      case 'fire':
        this.begin(`server_down:${step.server}`, {
          server: { id: step.server, name: step.server, tags: [] },
        });
        return;
      case 'resolve':
        this.end(`server_down:${step.server}`);
        return;
      case 'flap':
        this.begin(`flap:${step.server}`, {
          kind: 'server_flapping',
          server: { id: step.server, name: step.server, tags: [] },
        });
        return;
      case 'calm':
        this.end(`flap:${step.server}`);
        return;
      case 'mute':
        this.mutes.set(step.server, { because: step.because, by: 'x' });
        // Another server explains states, and the check below asks for nothing else.
        return;
      case 'restore':
        this.mutes.delete(step.server);
        return;
      case 'gather': {
        this.begin('incident', { kind: 'incident', server: null });
        const id = this.firing('incident')?.id ?? null;
        this.alerts = this.alerts.map((alert) =>
          alert.kind === 'server_down' && alert.resolvedAtMs === null
            ? { ...alert, incidentId: alert.incidentId ?? id }
            : alert,
        );
        return;
      }
      case 'scatter':
        this.end('incident');
        return;
      case 'tick':
        this.nowMs += step.ms;
        this.plan();
        return;
      case 'accept':
        this.accept(step.channel);
        return;
      case 'give up':
        this.giveUp(step.channel);
        return;
    }
  }

  /** Nothing is muted any more, no incident and no flapping speaks for anything, and channels take what they get. */
  settle(): void {
    this.mutes.clear();
    this.end('incident');
    for (const id of SERVERS) this.end(`flap:${id}`);
    for (let turn = 0; turn < 80; turn += 1) {
      this.nowMs += 2_000;
      this.plan();
      for (const channel of CHANNELS) this.accept(channel);
    }
  }
}

const LETTERS: Record<string, string> = { fire: 'F', repeat: 'r', resolve: 'E' };

test('whatever happens in whatever order: each channel hears of each beginning and each end once, and of all that lasts', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const one of steps) world.take(one);
      world.settle();

      for (const alert of world.alerts) {
        for (const channel of CHANNELS) {
          const heard = world.log.filter((line) => line.alertId === alert.id && line.channel === channel);
          const said = heard.map((line) => LETTERS[line.said]).join('');
          // One beginning first, repeats, one end last; or nothing at all.
          expect(said).toMatch(alert.resolvedAtMs === null ? /^(Fr*)?$/ : /^(Fr*E?)?$/);
          const gaps = heard.flatMap((line, index) =>
            line.said === 'repeat' ? [line.atMs - (heard[index - 1]?.atMs ?? line.atMs)] : [],
          );
          for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(REPEAT_MS);
          const known = world.told.find((one) => one.alertId === alert.id && one.channel === channel);
          const gaveUp = world.deliveries.some(
            ({ state, transitions, channel: to }) =>
              state === 'given up' &&
              to === channel &&
              transitions.some(({ alertId }) => alertId === alert.id),
          );
          if (alert.resolvedAtMs === null) expect(said[0]).toBe('F');
          else if (known && !known.failed && said.startsWith('F') && !gaveUp) expect(said.at(-1)).toBe('E');
        }
      }
      expect(world.entries.filter(({ done }) => !done)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
