import type { ServerCertificate } from '../../core/outcome.ts';

/** A name in a certificate may be anything, and of any length. */
const MAX_LENGTH = 200;

/** As Node gives it; empty where there is none. */
interface ShownCertificate {
  issuer?: { O?: unknown; CN?: unknown };
  subject?: { O?: unknown; CN?: unknown };
  valid_to?: string;
}

/** A certificate in a few words; null where the target showed none (a session that was resumed). */
export function describeCertificate(certificate: ShownCertificate | null): ServerCertificate | null {
  if (!certificate || Object.keys(certificate).length === 0) return null;
  const { issuer, subject, valid_to: validTo } = certificate;
  const validToMs = Date.parse(validTo ?? '');
  return {
    issuer: nameOf(issuer?.O) ?? nameOf(issuer?.CN),
    subject: nameOf(subject?.CN) ?? nameOf(subject?.O),
    validToMs: Number.isNaN(validToMs) ? null : validToMs,
  };
}

/** Of a name that is given several times, the first. */
function nameOf(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first !== 'string') return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name in a message must not hold them
  const clean = first.replace(/[\u0000-\u001f\u007f]/g, ' ').trim();
  return clean === '' ? null : clean.slice(0, MAX_LENGTH);
}
