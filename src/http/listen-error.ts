const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'is in use: stop what listens there, or set VITALS_HTTP_PORT to another port (0 means any free one)',
  EACCES: 'may not be opened by this user: set VITALS_HTTP_PORT to one above 1023',
  EADDRNOTAVAIL: 'cannot be opened: this machine does not have that address, correct VITALS_HTTP_HOST',
  ENOTFOUND: 'cannot be opened: the host name does not resolve, correct VITALS_HTTP_HOST',
};

/** The HTTP server could not listen; the message says where, why and what to do. */
export class ListenError extends Error {
  /** Node's code: EADDRINUSE, EACCES, … */
  readonly code: string;

  constructor(code: string, host: string, port: number, cause: unknown) {
    super(`port ${port} of ${host} ${HINTS[code] ?? `cannot be opened (${code})`}`, { cause });
    this.name = 'ListenError';
    this.code = code;
  }
}
