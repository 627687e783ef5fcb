import type {
  announcementAcknowledgment,
  featureFlag,
  featureFlagEvaluation,
  maintenanceWindow,
  systemAnnouncement,
  systemConfig,
} from '../schema/index.ts';
import { type Clock, createDice, uuidOf } from './deterministic.ts';
import { tenantId, userId } from './people.ts';

/** Flags and how they were served, settings, maintenance past and to come, and an announcement. */
export function seedAdmin(clock: Clock) {
  const flags = seedFlags(clock);
  return {
    flags,
    evaluations: seedEvaluations(clock),
    config: seedConfig(),
    windows: seedWindows(clock),
    ...seedAnnouncements(clock),
  };
}

function seedFlags(clock: Clock): (typeof featureFlag.$inferInsert)[] {
  return [
    { key: 'new-dashboard', name: 'New dashboard', isEnabled: true, status: 'active' as const },
    { key: 'semantic-search', name: 'Semantic search', isEnabled: false, status: 'testing' as const },
    { key: 'old-login', name: 'Old login page', isEnabled: false, status: 'deprecated' as const },
  ].map((flag, place) => ({
    id: uuidOf(`flag ${flag.key}`),
    ...flag,
    description: `${flag.name}, for those who want it`,
    type: 'boolean' as const,
    defaultValue: false,
    rolloutPercentage: place === 0 ? 50 : 0,
    targetingRules: [
      {
        conditions: [
          { attribute: 'tenant.planType', operator: 'in' as const, value: ['enterprise', 'professional'] },
        ],
        value: true,
        percentage: 100,
        description: 'paying tenants first',
      },
    ],
    environments: { development: true, production: flag.isEnabled },
    tags: ['seed'],
    owner: userId('ines'),
    createdAt: clock.daysAgo(80 - place),
  }));
}

function seedEvaluations(clock: Clock): (typeof featureFlagEvaluation.$inferInsert)[] {
  const dice = createDice('evaluations');
  return Array.from({ length: 40 }, (_, place) => {
    const value = dice.chance(0.5);
    return {
      id: uuidOf(`evaluation ${place}`),
      flagId: uuidOf('flag new-dashboard'),
      flagKey: 'new-dashboard',
      userId: userId(dice.pick(['priya', 'jonas', 'samuel', 'clara'] as const)),
      tenantId: tenantId('northwind'),
      value,
      reason: value ? ('targeting_match' as const) : ('default' as const),
      metadata: value ? { ruleIndex: 0, rolloutPercentage: 50 } : {},
      evaluatedAt: clock.daysAgo(place / 5),
    };
  });
}

function seedConfig(): (typeof systemConfig.$inferInsert)[] {
  return [
    {
      key: 'registry.name',
      category: 'general',
      value: 'Development registry',
      valueType: 'string' as const,
      isPublic: true,
    },
    {
      key: 'health.default_interval',
      category: 'health',
      value: 300,
      valueType: 'number' as const,
      isPublic: false,
    },
    { key: 'signup.open', category: 'auth', value: true, valueType: 'boolean' as const, isPublic: true },
  ].map((row) => ({
    id: uuidOf(`config ${row.key}`),
    ...row,
    description: `Setting ${row.key}`,
    validationSchema: { type: row.valueType },
    lastModifiedBy: userId('ines'),
    changeReason: 'set up for development',
  }));
}

function seedWindows(clock: Clock): (typeof maintenanceWindow.$inferInsert)[] {
  return [
    { title: 'Database upgrade', type: 'upgrade' as const, days: 20, status: 'completed' as const },
    { title: 'Warehouse move', type: 'scheduled' as const, days: -5, status: 'scheduled' as const },
  ].map(({ days, ...row }) => ({
    id: uuidOf(`window ${row.title}`),
    ...row,
    description: `${row.title}, announced in advance`,
    impact: 'partial' as const,
    affectedServices: ['seed-warehouse', 'seed-tickets'],
    affectedTenants: [tenantId('harbour')],
    scheduledStart: clock.daysAgo(days, 2),
    scheduledEnd: clock.daysAgo(days),
    actualStart: days > 0 ? clock.daysAgo(days, 2) : null,
    actualEnd: days > 0 ? clock.daysAgo(days) : null,
    createdBy: userId('ines'),
    approvedBy: userId('root'),
    approvedAt: clock.daysAgo(days + 3),
  }));
}

function seedAnnouncements(clock: Clock) {
  const id = uuidOf('announcement warehouse');
  const announcements: (typeof systemAnnouncement.$inferInsert)[] = [
    {
      id,
      title: 'The warehouse moves',
      message: 'Queries may be slow for two hours.',
      type: 'maintenance',
      priority: 'high',
      targetAudience: 'specific_tenants',
      targetTenants: [tenantId('harbour')],
      displayLocation: ['banner'],
      requiresAcknowledgment: true,
      startsAt: clock.daysAgo(2),
      endsAt: clock.daysAgo(-6),
      acknowledgmentCount: 2,
      createdBy: userId('ines'),
    },
  ];
  const acknowledgments: (typeof announcementAcknowledgment.$inferInsert)[] = ['aiko', 'clara'].map(
    (name) => ({
      id: uuidOf(`acknowledgment ${name}`),
      announcementId: id,
      userId: userId(name),
      acknowledgedAt: clock.daysAgo(1),
      ipAddress: '198.51.100.77',
    }),
  );
  return { announcements, acknowledgments };
}
