/**
 * The rules by which a change, or what is there at first sight, is suspicious: the closed list. Names are
 * stored and routed by, so one is never renamed. `docs/drift.md` explains each; a test holds the two together.
 */
export const SUSPICIOUS_RULES = {
  description_gives_orders: 'a text gives orders to the model instead of describing',
  hidden_unicode: 'characters that people do not see and models read',
  lookalike_name: 'a name that looks like a tool of another server of the tenant',
  server_renamed: 'the server calls itself something else, and nobody announced it',
  turned_destructive: 'a tool that was said to be harmless is said so no more',
} as const;

export type SuspiciousRule = keyof typeof SUSPICIOUS_RULES;
export const RULE_NAMES = Object.keys(SUSPICIOUS_RULES) as SuspiciousRule[];
