import { expect, test } from 'vitest';
import { describeCertificate } from '../../../src/mcp/transports/certificate.ts';

const certificate = (issuer: object, subject: object, validTo = 'Jan  1 00:00:00 2030 GMT') => ({
  issuer,
  subject,
  valid_to: validTo,
});

test('names the organisation that issued it, or else the common name', () => {
  expect(describeCertificate(certificate({ O: 'Some CA', CN: 'R1' }, { CN: 'a.test' }))).toEqual({
    issuer: 'Some CA',
    subject: 'a.test',
    validToMs: Date.UTC(2030, 0, 1),
  });
  expect(describeCertificate(certificate({ CN: 'R1' }, { O: 'A' }))).toMatchObject({
    issuer: 'R1',
    subject: 'A',
  });
});

test('takes whatever is in it', () => {
  expect(describeCertificate(null)).toBeNull();
  expect(describeCertificate({})).toBeNull();
  const odd = certificate({ O: ['first', 'second'] }, { CN: `x\n${'y'.repeat(500)}` }, 'never');
  expect(describeCertificate(odd)).toEqual({
    issuer: 'first',
    subject: `x ${'y'.repeat(198)}`,
    validToMs: null,
  });
  expect(describeCertificate(certificate({ O: ' ' }, { CN: 7 }))).toMatchObject({
    issuer: null,
    subject: null,
  });
});
