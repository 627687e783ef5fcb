import { createHmac, timingSafeEqual } from 'node:crypto';

/** `v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body. */
export function signBody(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/**
 * What a receiver does: the signature has to be ours, and the timestamp (seconds since 1970) no older than it
 * tolerates, so that a message that somebody recorded is not taken again.
 */
export function verifySignature(
  secret: string,
  received: { timestamp: string; signature: string; body: string },
  { nowMs, toleranceMs = 300_000 }: { nowMs: number; toleranceMs?: number },
): boolean {
  if (!/^\d{1,12}$/.test(received.timestamp)) return false;
  if (Math.abs(nowMs - Number(received.timestamp) * 1000) > toleranceMs) return false;
  const expected = Buffer.from(signBody(secret, received.timestamp, received.body));
  const given = Buffer.from(received.signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
