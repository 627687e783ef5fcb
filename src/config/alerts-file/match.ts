import { z } from 'zod';
import { ALERT_KINDS, SEVERITIES, type Severity } from '../../core/alerts/alert.ts';

/** One of them, or a list. */
const oneOrMore = <Item extends z.ZodType<string>>(item: Item) =>
  z.union([item.transform((one) => [one]), z.array(item).min(1).max(1_000)], {
    error: (issue) => (issue.input === undefined ? undefined : allowedOf(item)),
  });

function allowedOf(item: z.ZodType<string>): string {
  return item instanceof z.ZodEnum
    ? `it has to be one of ${item.options.join(', ')}, or a list of them`
    : 'it has to be a text, or a list of texts';
}

const text = z.string().min(1).max(500);
const severity = z.enum(SEVERITIES);

const atLeast = (least: Severity): Severity[] => SEVERITIES.slice(SEVERITIES.indexOf(least));

/** Which alerts a route is for; every field that is given has to fit. */
export const matchSchema = z
  .strictObject({
    tenant: oneOrMore(text).optional(),
    tag: oneOrMore(text).optional(),
    severity: oneOrMore(severity).optional(),
    minSeverity: severity.optional(),
    kind: oneOrMore(z.enum(ALERT_KINDS)).optional(),
    server: oneOrMore(text).optional(),
  })
  .refine((match) => match.severity === undefined || match.minSeverity === undefined, {
    message: 'severity and minSeverity exclude each other',
  })
  .transform(({ tenant, tag, severity: exactly, minSeverity, kind, server }) => ({
    tenants: tenant ?? null,
    tags: tag ?? null,
    severities: exactly ?? (minSeverity === undefined ? null : atLeast(minSeverity)),
    kinds: kind ?? null,
    servers: server ?? null,
  }));
