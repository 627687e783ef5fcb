import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most 4 KiB of it. */
  body: string;
}

const MOST_OF_AN_ANSWER = 4_096;

/**
 * One request on a connection of its own, redirects not followed: where a key is sent is for the file to say.
 * Rejects when there is no answer, with an error that does not hold the address.
 */
export function sendRequest(
  address: string,
  {
    method,
    headers,
    body,
    signal,
  }: { method: string; headers: Record<string, string>; body: string | null; signal: AbortSignal },
): Promise<Answer> {
  const url = new URL(address);
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = open(
      url,
      { method, agent: false, signal, headers: { 'user-agent': 'mcp-vitals', ...headers, ...length } },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        const finish = () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).subarray(0, MOST_OF_AN_ANSWER).toString('utf8'),
          });
        response.on('data', (part: Buffer) => {
          parts.push(part);
          size += part.length;
          // The status has said what matters: the rest is not waited for.
          if (size < MOST_OF_AN_ANSWER) return;
          finish();
          response.destroy();
        });
        response.on('end', finish);
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

/** A POST of JSON; what the receiver reads is exactly `body`. */
export const postJson = (
  address: string,
  body: string,
  options: { headers?: Record<string, string>; signal: AbortSignal },
): Promise<Answer> =>
  sendRequest(address, {
    method: 'POST',
    body,
    signal: options.signal,
    headers: {
      accept: 'application/json, text/plain, */*',
      ...options.headers,
      'content-type': 'application/json',
    },
  });
