import { z } from 'zod';
import type { ChannelConfig } from '../../core/alerts/alerts-config.ts';
import { headersSchema, httpUrl, type LookUp, secretText, smtpUrl } from './values.ts';

const common = {
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
  giveUpAfterMs: z
    .int()
    .min(1_000)
    .max(7 * 86_400_000)
    .default(86_400_000),
};

/** An address, alone or as `Name <address>`; a list in one text would hide a mistyped one. */
const mailbox = z
  .string()
  .max(500)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin a header of its own
  .regex(/^(?:[^<>,;\u0000-\u001f]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/, {
    message: 'it has to be an e-mail address, as a@example.com or `Name <a@example.com>`',
  });

/** The default of PagerDuty; the European service has another. */
const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';

/** Where alerts are told: each type with what it needs. */
export function channelSchema(lookUp: LookUp): z.ZodType<ChannelConfig, unknown> {
  const url = httpUrl(lookUp);
  const secret = secretText(lookUp);
  const headers = headersSchema(lookUp);
  return z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('webhook'),
      url,
      secret: secret
        .refine((value) => value.length >= 8, { message: 'it has fewer than 8 characters' })
        .optional()
        .transform((value) => value ?? null),
      headers,
      ...common,
    }),
    z.strictObject({ type: z.literal('slack'), url, ...common }),
    z.strictObject({
      type: z.literal('email'),
      smtpUrl: smtpUrl(lookUp),
      from: mailbox,
      to: z.union([mailbox.transform((one) => [one]), z.array(mailbox).min(1).max(100)], {
        error:
          'it has to be an e-mail address, as a@example.com or `Name <a@example.com>`, or a list of them',
      }),
      ...common,
    }),
    z.strictObject({
      type: z.literal('pagerduty'),
      routingKey: secret,
      url: url.default(PAGERDUTY_URL),
      ...common,
    }),
    z.strictObject({
      type: z.literal('alertmanager'),
      url,
      headers,
      labels: z
        .record(
          z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { message: 'it is no name of a label' }),
          z.string().max(1_000),
        )
        .default({}),
      ...common,
    }),
    z
      .strictObject({
        type: z.literal('apprise'),
        url,
        headers,
        key: secret.optional().transform((value) => value ?? null),
        urls: z.array(secret).max(100).default([]),
        tag: z.string().min(1).max(200).nullable().default(null),
        ...common,
      })
      .refine(({ key, urls }) => (key === null) === urls.length > 0, {
        message: 'say either key, a configuration that the Apprise API keeps, or urls',
      }),
  ]);
}
