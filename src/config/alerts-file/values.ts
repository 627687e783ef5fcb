import { z } from 'zod';

/** The value of an environment variable. */
export type LookUp = (name: string) => string | undefined;

const FROM_ENVIRONMENT = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;

/** A text as it stands, or, as `env:NAME`, that of an environment variable: files are shared, secrets are not. */
export function secretText(lookUp: LookUp) {
  return z
    .string()
    .min(1)
    .max(10_000)
    .transform((text, context) => {
      const name = FROM_ENVIRONMENT.exec(text)?.[1];
      const value = name === undefined ? text : lookUp(name);
      const problem =
        value === undefined || value === ''
          ? `the environment variable ${name} is not set`
          : // biome-ignore lint/suspicious/noControlCharactersInRegex: no header or address may hold them
            /[\u0000-\u001f\u007f]/.test(value)
            ? 'it has a control character'
            : null;
      if (problem === null && value !== undefined) return value;
      context.addIssue({ code: 'custom', message: problem ?? 'it is empty' });
      return z.NEVER;
    });
}

function urlOf(lookUp: LookUp, protocols: readonly string[]) {
  const message = `it has to be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return secretText(lookUp).refine(
    (text) =>
      URL.canParse(text) && protocols.includes(new URL(text).protocol) && new URL(text).hostname !== '',
    { message },
  );
}

/** A web address; it may be `env:NAME`, since many hold a key. */
export const httpUrl = (lookUp: LookUp) => urlOf(lookUp, ['https:', 'http:']);

export const smtpUrl = (lookUp: LookUp) => urlOf(lookUp, ['smtp:', 'smtps:']);

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a request is made of, or what the signature is read from: not for a file to say. */
const OWN_HEADERS =
  /^(host|content-length|content-type|transfer-encoding|connection|idempotency-key|x-vitals-.*)$/i;

export const headersSchema = (lookUp: LookUp) =>
  z
    .record(
      z
        .string()
        .regex(HEADER_NAME, { message: 'it is no name of a header' })
        .refine((name) => !OWN_HEADERS.test(name), { message: 'this header is set by mcp-vitals itself' }),
      secretText(lookUp),
    )
    .default({});
