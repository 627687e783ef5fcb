import type { account, session, twoFactorAuth, user, userPermission, verification } from '../schema/index.ts';
import { type Clock, createDice, sha256, uuidOf } from './deterministic.ts';

type NewUser = typeof user.$inferInsert;

const PEOPLE = [
  ['ines', 'Ines Okafor', 'admin', 'northwind'],
  ['tomasz', 'Tomasz Lind', 'server_owner', 'northwind'],
  ['priya', 'Priya Raman', 'user', 'northwind'],
  ['jonas', 'Jonas Keller', 'user', 'northwind'],
  ['aiko', 'Aiko Mori', 'server_owner', 'harbour'],
  ['samuel', 'Samuel Adeyemi', 'user', 'harbour'],
  ['clara', 'Clara Nilsson', 'user', 'harbour'],
  ['luca', 'Luca Ferri', 'server_owner', 'tinyshop'],
  ['mira', 'Mira Haddad', 'user', 'tinyshop'],
  ['oskar', 'Oskar Weiss', 'user', 'mothballed'],
  ['freya', 'Freya Holm', 'user', null],
  ['root', 'Registry Operator', 'admin', null],
] as const;

export const userId = (name: string): string => `seed-user-${name}`;
export const tenantId = (name: string): string => `seed-tenant-${name}`;

/** Users of four tenants and of none, with what they log in with; nobody has a password. */
export function seedPeople(clock: Clock) {
  const users: NewUser[] = PEOPLE.map(([name, fullName, role, tenant], place) => ({
    id: userId(name),
    name: fullName,
    email: `${name}@${tenant ?? 'registry'}.example`,
    emailVerified: name !== 'freya',
    createdAt: clock.daysAgo(200 - place * 9),
    updatedAt: clock.daysAgo(place),
    role,
    tenantId: tenant === null ? null : tenantId(tenant),
    isActive: tenant !== 'mothballed',
    lastLoginAt: name === 'freya' ? null : clock.daysAgo(place / 3),
    banned: name === 'oskar',
    banReason: name === 'oskar' ? 'account abandoned' : null,
    preferences: {
      theme: place % 2 ? 'dark' : 'light',
      notifications: place % 3 > 0,
      language: place % 4 ? 'en' : 'de',
    },
    twoFactorEnabled: role === 'admin',
    termsAcceptedAt: clock.daysAgo(200 - place * 9),
    privacyAcceptedAt: clock.daysAgo(200 - place * 9),
  }));
  return { users, ...seedLogins(clock, users) };
}

function seedLogins(clock: Clock, users: NewUser[]) {
  const dice = createDice('logins');
  const accounts: (typeof account.$inferInsert)[] = users.map((person) => ({
    id: `${person.id}-github`,
    accountId: sha256(person.id).slice(0, 8),
    providerId: 'github',
    userId: person.id,
    scope: 'read:user user:email',
    createdAt: clock.daysAgo(100),
    updatedAt: clock.daysAgo(10),
  }));
  const sessions: (typeof session.$inferInsert)[] = users.slice(0, 10).map((person, place) => ({
    id: `${person.id}-session`,
    token: sha256(`session ${person.id}`),
    userId: person.id,
    expiresAt: clock.daysAgo(place < 7 ? -7 : 3),
    createdAt: clock.daysAgo(place),
    updatedAt: clock.daysAgo(place / 2),
    ipAddress: `198.51.100.${dice.between(2, 250)}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    deviceInfo: {
      browser: 'Firefox',
      os: dice.pick(['Linux', 'macOS', 'Windows']),
      device: 'desktop',
      isMobile: false,
    },
    lastActivityAt: clock.daysAgo(place / 2),
    isRevoked: place === 9,
    revokedAt: place === 9 ? clock.daysAgo(2) : null,
    revokedReason: place === 9 ? 'account suspended' : null,
  }));
  const admins = users.filter(({ role }) => role === 'admin');
  const secondFactors: (typeof twoFactorAuth.$inferInsert)[] = admins.map(({ id }) => ({
    id: uuidOf(`2fa ${id}`),
    userId: id,
    secret: sha256(`2fa ${id}`).slice(0, 32).toUpperCase(),
    enabled: true,
    backupCodes: [1, 2, 3].map((number) => sha256(`backup ${id} ${number}`).slice(0, 10)),
    enabledAt: clock.daysAgo(90),
    lastUsedAt: clock.daysAgo(1),
  }));
  const permissions: (typeof userPermission.$inferInsert)[] = users.slice(1, 8).map(({ id }, place) => ({
    id: uuidOf(`permission ${id}`),
    userId: id,
    permission: dice.pick(['servers:read', 'servers:write', 'audit:read']),
    resource: place % 2 ? 'server:seed-everything' : 'server:*',
    grantedAt: clock.daysAgo(60 - place),
    grantedBy: userId('ines'),
    expiresAt: place === 3 ? clock.daysAgo(-30) : null,
  }));
  const verifications: (typeof verification.$inferInsert)[] = [
    { id: 'seed-verification-email', identifier: 'freya@registry.example', type: 'email', isUsed: false },
    {
      id: 'seed-verification-reset',
      identifier: 'priya@northwind.example',
      type: 'password_reset',
      isUsed: true,
    },
  ].map((row) => ({
    ...row,
    type: row.type === 'email' ? ('email' as const) : ('password_reset' as const),
    value: sha256(row.id),
    expiresAt: clock.daysAgo(-1),
    attempts: row.isUsed ? 1 : 0,
  }));
  return { accounts, sessions, secondFactors, permissions, verifications };
}
